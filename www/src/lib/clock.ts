// One clock for all relative times: components that show one are drawn again when it ticks.
// SPDX-License-Identifier: Apache-2.0
import { useSyncExternalStore } from "react";

function makeClock(every: number) {
  const listeners = new Set<() => void>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let now = Date.now();
  return {
    subscribe(listener: () => void) {
      listeners.add(listener);
      now = Date.now();
      timer ??= setInterval(() => {
        now = Date.now();
        for (const l of listeners) l();
      }, every);
      return () => {
        listeners.delete(listener);
        if (listeners.size) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
    get: () => now,
  };
}
const second = makeClock(1000);
const minute = makeClock(15_000);

/** The time, as of the last second (or of the last quarter minute). */
export function useNow(fine = false): number {
  const clock = fine ? second : minute;
  return useSyncExternalStore(clock.subscribe, clock.get);
}
