/** The processes of a cluster. */

/** In the order in which they are started. */
export const COMPONENTS = [
  'etcd',
  'apiserver',
  'controllers',
  'scheduler',
  'policies',
  'services',
  'containerd',
  'kubelet',
] as const;
export type Component = (typeof COMPONENTS)[number];
