/** What the runner says of its clone and of what it committed, besides the agent's answer. */
import type { HeldBack } from './held-back.ts';

/** Why an agent began a new conversation instead of going on with a stored one. */
export const LOST_CONVERSATION = [
  'missing', // it is not stored
  'damaged', // it is not what was stored: its checksum differs
  'refused', // the agent's program does not go on with it, or it has become too long for the model
] as const;
export type LostConversation = (typeof LOST_CONVERSATION)[number];

export interface WorkNotes {
  /** New files that were left out of the commit. */
  readonly heldBack: readonly HeldBack[];
  /** Content that no clone has: it is stored elsewhere, and agents have no access to it. */
  readonly absent: {
    /** The number of files of which the clone has only a Git LFS pointer. */
    readonly lfsFiles: number;
    /** Folders of submodules, which are empty. */
    readonly submodules: readonly string[];
  };
  /** Set if the agent began a new conversation. */
  readonly lostConversation?: LostConversation | undefined;
}

/** Submodules that are named. */
export const MOST_SUBMODULES = 20;

/** Characters of a path in a note. */
export const NOTE_PATH_CHARACTERS = 300;
