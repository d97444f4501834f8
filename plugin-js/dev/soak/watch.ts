/** Watches a change arrive: each replica is asked about whom it concerns until it answers by it. */
import type { Person } from './company';
import type { Load } from './load';

/** Between two questions; times are no more exact than that */
const OFTEN_MS = 250;
/** In an outage there are many to be asked about */
const OFTEN_FOR_MS = 6_000;

/** Until all replicas answer as is right now, or something else is right */
export async function watch(person: Person, load: Load, replicas: readonly string[]): Promise<void> {
  const { truth } = person;
  const { changedAt, allowed } = truth;
  const of = async (replica: string) => {
    while (truth.changedAt === changedAt) {
      const { answer, status } = await load.ask(person, replica);
      // Killed; the one in its place begins with everything.
      if (status === 0 || (answer !== undefined && (answer === 'allow') === allowed)) return;
      const passed = performance.now() - changedAt;
      const pause = passed < OFTEN_FOR_MS ? OFTEN_MS : passed / 2;
      // Whoever waits for a change that is lost keeps no process alive.
      await new Promise(resolve => setTimeout(resolve, pause).unref());
    }
  };
  await Promise.all(replicas.map(of));
}
