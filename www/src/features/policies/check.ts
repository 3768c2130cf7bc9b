// Asks the host to check what is typed: after a pause, never two at once, the newest text last.
// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from "react";
import { json } from "@/api/client";
import type { ScriptFault } from "@/api/schema";

const PAUSE_MS = 400;
const NONE: ScriptFault[] = [];

interface Answer {
  ok: boolean;
  diagnostics: ScriptFault[];
}

export function useCheck(
  file: string,
  text: string,
  on: boolean,
): { diagnostics: ScriptFault[]; busy: boolean } {
  const [diagnostics, setDiagnostics] = useState<ScriptFault[]>(NONE);
  const [busy, setBusy] = useState(false);
  const flight = useRef(false);
  const wanted = useRef<string>(undefined);
  useEffect(() => {
    if (!on) {
      wanted.current = undefined;
      setDiagnostics(NONE);
      setBusy(false);
      return;
    }
    let left = false;
    const ask = async () => {
      wanted.current = text;
      if (flight.current) return;
      flight.current = true;
      setBusy(true);
      while (wanted.current !== undefined) {
        const now: string = wanted.current;
        wanted.current = undefined;
        try {
          const answer = await json<Answer>("POST", "/api/scripts/check", {
            body: { files: { [file]: now } },
          });
          if (wanted.current === undefined) setDiagnostics(answer.diagnostics);
        } catch {
          // The save says what is wrong; a check that failed says nothing false.
        }
      }
      flight.current = false;
      setBusy(false);
    };
    const timer = setTimeout(() => !left && void ask(), PAUSE_MS);
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [file, text, on]);
  return { diagnostics, busy };
}
