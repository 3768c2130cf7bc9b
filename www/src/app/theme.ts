// Light or dark: the system's until the reader chooses.
// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from "react";
import { recall, remember } from "@/lib/storage";

type Theme = "light" | "dark";
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const chosen = () => recall("theme") as Theme | null;
const now = (): Theme => chosen() ?? (dark.matches ? "dark" : "light");

export function applyTheme(theme: Theme = now()): void {
  document.documentElement.dataset.theme = theme;
}

export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState<Theme>(now);
  useEffect(() => {
    applyTheme(theme);
    const follow = () => !chosen() && setTheme(now());
    dark.addEventListener("change", follow);
    return () => dark.removeEventListener("change", follow);
  }, [theme]);
  return [
    theme,
    () => {
      const next = theme === "dark" ? "light" : "dark";
      remember("theme", next);
      setTheme(next);
    },
  ];
}
