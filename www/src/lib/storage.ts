// What the page itself remembers (theme, drafts, panel sizes). A browser that refuses storage costs only the memory.
// SPDX-License-Identifier: Apache-2.0
import { useCallback, useState } from "react";

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(`gander.${key}`);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string | null): void {
  try {
    if (value === null || value === "") localStorage.removeItem(`gander.${key}`);
    else localStorage.setItem(`gander.${key}`, value);
  } catch {
    // Storage is full or forbidden.
  }
}

export function useRemembered(key: string, fallback: string): [string, (value: string) => void] {
  const [value, setValue] = useState(() => recall(key) ?? fallback);
  const set = useCallback(
    (next: string) => {
      setValue(next);
      remember(key, next);
    },
    [key],
  );
  return [value, set];
}
