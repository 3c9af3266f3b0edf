import { eventually } from '../../cluster/eventually.js';
import type { Namespace } from '../../cluster/namespace.js';

/** How a Job of one pod ended. */
export interface JobOver {
  readonly job: string;
  readonly succeeded: number;
  readonly exitCode: number;
  /** The type of its condition, and what that says. */
  readonly condition: string;
  readonly message: string;
  readonly log: string;
}

/** Waits until a Job of one pod is over. */
export async function jobOver({ kubectl }: Pick<Namespace, 'kubectl'>, job: string): Promise<JobOver> {
  const { status } = await eventually(120, `Job ${job} is over`, async () => {
    const found = JSON.parse(await kubectl(['get', 'job', job, '--output=json']));
    const isOver = found.status.conditions?.some(({ type }: { type: string }) => ['Complete', 'Failed'].includes(type));
    return isOver ? found : undefined;
  });
  const [pod] = JSON.parse(await kubectl(['get', 'pods', `--selector=job-name=${job}`, '--output=json'])).items;
  const { type, message = '' } = status.conditions.at(-1);
  const { exitCode } = pod.status.containerStatuses[0].state.terminated;
  return { job, succeeded: status.succeeded ?? 0, exitCode, condition: type, message, log: await kubectl(['logs', `job/${job}`]) };
}
