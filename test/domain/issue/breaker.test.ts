import { beforeEach, describe, expect, test } from 'vitest';
import { createScene, DEV, TALK, work, type Scene } from '../support/scene.ts';

const NEED_INPUT = 'need:input';
let scene: Scene;
beforeEach(() => {
  scene = createScene();
  allow(5);
});

/** What the installation allows in an hour. */
function allow(triggersPerHour: number | undefined): void {
  if (scene.settings)
    scene.settings = { ...scene.settings, ...(triggersPerHour === undefined ? {} : { triggersPerHour }) };
}

/** A label is put on and its run is canceled, as often as this. */
function asksAndEnds(times: number): void {
  for (let time = 0; time < times; time += 1) {
    scene.asks(DEV);
    const { active } = scene.state();
    if (active) scene.endsAs({ status: 'canceled', actor: 'olivia', reason: 'a mistake' });
  }
}

describe('T25: an issue that asks for runs again and again', () => {
  test('T25: gets five runs within an hour; the sixth trigger is refused and asks a person', () => {
    asksAndEnds(6);
    expect(scene.started()).toHaveLength(5);
    expect(scene.refusals()).toMatchObject([{ reason: 'too_many_triggers', actor: 'olivia', subject: 'event-105' }]);
    expect(scene.github.labels).toContain(NEED_INPUT);
    expect(scene.state().asked).toBe('too_many_triggers');
    expect(scene.events('run.not_started')).toMatchObject([{ payload: { reason: 'too_many_triggers' } }]);
  });

  test('T25: is told so once, however often it goes on', () => {
    asksAndEnds(20);
    expect(scene.started()).toHaveLength(5);
    expect(scene.refusals()).toHaveLength(1);
    expect(scene.events('run.not_started')).toHaveLength(15);
  });

  test('T25: waits for a person, also when an hour is over', () => {
    asksAndEnds(6);
    scene.passes(2);
    asksAndEnds(1);
    expect(scene.started()).toHaveLength(5);
  });

  test('T25: goes on when a person has taken need:input off, and is counted anew', () => {
    asksAndEnds(6);
    scene.github.labels = scene.github.labels.filter((label) => label !== NEED_INPUT);
    asksAndEnds(6);
    expect(scene.started()).toHaveLength(10);
    expect(scene.refusals()).toHaveLength(2);
  });

  test('T25: is not asked when the hour passes between its triggers', () => {
    asksAndEnds(5);
    scene.passes(1);
    asksAndEnds(5);
    expect(scene.started()).toHaveLength(10);
    expect(scene.refusals()).toEqual([]);
  });

  test('T25: by reviews, is stopped as well, and told so on the pull request', () => {
    scene.does('dev');
    for (let review = 900; review < 905; review += 1) {
      scene.tell(scene.reviewed(review));
      if (scene.state().active) scene.ends();
    }
    expect(scene.started()).toHaveLength(5);
    expect(scene.all('write_refusal')).toMatchObject([
      { issue: { number: 13 }, refusal: { reason: 'too_many_triggers', subject: 'review-904' } },
    ]);
  });

  test('T25: by labels that arrive together, is asked once', () => {
    scene.tell(...Array.from({ length: 8 }, () => scene.click(DEV)));
    expect(scene.refusals().length).toBeLessThanOrEqual(1);
    expect(scene.started().length + scene.state().queue.length).toBeLessThanOrEqual(5);
  });
});

describe('what is no trouble', () => {
  test('comments in a discussion are not counted', () => {
    scene.asks(TALK);
    for (let comment = 1; comment <= 10; comment += 1) {
      scene.ends();
      scene.tell(scene.comment(comment));
    }
    expect(scene.refusals()).toEqual([]);
    expect(scene.started().length).toBeGreaterThan(6);
  });

  test.each([0, undefined])('without a limit (%s) as many runs as are asked for are started', (limit) => {
    scene = createScene();
    allow(limit);
    asksAndEnds(12);
    expect(scene.started()).toHaveLength(12);
    expect(scene.refusals()).toEqual([]);
  });

  test('a stage after the other within an hour is stopped at the sixth, with the way on', () => {
    for (const stage of ['intake', 'vision', 'prd', 'arch', 'design'] as const) {
      scene.does(stage);
      scene.tell(scene.pullRequestClosed(true));
    }
    scene.asks(work('plan'));
    expect(scene.refusals().at(-1)).toMatchObject({ reason: 'too_many_triggers' });
  });
});
