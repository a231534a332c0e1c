/** The data converter, the same for every client, worker and workflow bundle. */
import { fileURLToPath } from 'node:url';

export const dataConverter = {
  payloadConverterPath: fileURLToPath(new URL('../../workflows/payload-converter.ts', import.meta.url)),
} as const;
