/** How many objects of a kind may lie in a workspace. Pods at work are counted by its size, everything that lies there by this. */

/** What an agent may create, and what Kubernetes makes of that. Kinds are named as in `kubectl api-resources`. */
export interface ObjectCounts {
  readonly configmaps: number;
  readonly 'controllerrevisions.apps': number;
  readonly 'cronjobs.batch': number;
  readonly 'deployments.apps': number;
  readonly 'horizontalpodautoscalers.autoscaling': number;
  readonly 'ingresses.networking.k8s.io': number;
  /** The run's Job and, for a moment, the one before it count too. */
  readonly 'jobs.batch': number;
  readonly persistentvolumeclaims: number;
  /** Those that have ended count too, as long as they lie there. */
  readonly pods: number;
  /** Each change of a Deployment leaves one, ten unless the Deployment says otherwise. */
  readonly 'replicasets.apps': number;
  /** Agents create none: the run token's, and what the project has released. */
  readonly secrets: number;
  readonly services: number;
  readonly 'statefulsets.apps': number;
}

/** Where nobody but the platform creates anything, or a person something to look at. */
export const FEW: ObjectCounts = {
  configmaps: 20,
  'controllerrevisions.apps': 20,
  'cronjobs.batch': 2,
  'deployments.apps': 5,
  'horizontalpodautoscalers.autoscaling': 5,
  'ingresses.networking.k8s.io': 5,
  'jobs.batch': 10,
  persistentvolumeclaims: 2,
  pods: 20,
  'replicasets.apps': 50,
  secrets: 20,
  services: 5,
  'statefulsets.apps': 5,
};

/** For the project's services. */
export const MANY: ObjectCounts = {
  configmaps: 100,
  'controllerrevisions.apps': 100,
  'cronjobs.batch': 10,
  'deployments.apps': 30,
  'horizontalpodautoscalers.autoscaling': 20,
  'ingresses.networking.k8s.io': 20,
  'jobs.batch': 50,
  persistentvolumeclaims: 10,
  pods: 200,
  'replicasets.apps': 300,
  secrets: 50,
  services: 30,
  'statefulsets.apps': 10,
};
