// One script: edited, checked while it is typed, saved against the version it was read at.
// SPDX-License-Identifier: Apache-2.0
import { useMutation } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import { toast } from "sonner";
import { Link } from "wouter";
import { send } from "@/api/client";
import { ApiError } from "@/api/errors";
import { scriptPath, useAway, useScripts } from "@/api/hooks";
import { keys } from "@/api/keys";
import { cache, hostAlerts } from "@/api/live";
import type { ScriptFault } from "@/api/schema";
import { paths } from "@/lib/session";
import { Button } from "@/ui/Button";
import { ErrorNote } from "@/ui/Notes";
import { CodeBox } from "./CodeBox";
import { useCheck } from "./check";
import { DeleteScript } from "./DeleteScript";
import { DryRun } from "./DryRun";
import { History } from "./History";
import { Merge } from "./Merge";
import { StatusLine } from "./StatusLine";
import { canWrite } from "./Tree";

interface Stored {
  text: string;
  etag: string;
}

export function ScriptEditor({ file, stored, line }: { file: string; stored: Stored; line?: number }) {
  const [base, setBase] = useState(stored);
  const [text, setText] = useState(stored.text);
  const [theirs, setTheirs] = useState<Stored>();
  const [history, setHistory] = useState(false);
  const [remove, setRemove] = useState(false);
  const [dry, setDry] = useState(false);
  const policy = file.match(/^policies\/([^/]+)\/([^/]+)\.lua$/);
  const away = useAway();
  const scripts = useScripts();
  const writable = scripts.data?.writable === "all" || canWrite(file);
  const dirty = text !== base.text;
  const check = useCheck(file, text, dirty && writable && !away);
  const live = scripts.data?.error;

  const fetchTheirs = useCallback(async () => {
    const res = await send("GET", scriptPath(file), { headers: { Accept: "text/plain, */*" } });
    return { text: await res.text(), etag: res.headers.get("ETag") ?? "" };
  }, [file]);

  // Saved elsewhere while it is open: taken over where nothing was typed, else said.
  useEffect(() => {
    const again = () =>
      void fetchTheirs()
        .then((now) => {
          cache.setQueryData(keys.script(file), now);
          if (now.etag === base.etag) return;
          if (!dirty) {
            setBase(now);
            setText(now.text);
          }
        })
        .catch(() => {});
    hostAlerts.addEventListener("script", again);
    return () => hostAlerts.removeEventListener("script", again);
  }, [file, base.etag, dirty, fetchTheirs]);

  const save = useMutation({
    mutationFn: async () => {
      const res = await send("PUT", scriptPath(file), { text, headers: { "If-Match": base.etag } });
      return { etag: res.headers.get("ETag") ?? "", text };
    },
    onSuccess: (saved) => {
      setBase(saved);
      cache.setQueryData(keys.script(file), saved);
      void cache.invalidateQueries({ queryKey: keys.scripts });
      void cache.invalidateQueries({ queryKey: keys.history(file) });
      toast.success("Saved");
    },
    onError: (e) => {
      if (e instanceof ApiError && e.status === 412) void fetchTheirs().then(setTheirs, () => {});
    },
  });
  const { mutate, isPending } = save;
  const onSave = useCallback(() => {
    if (dirty && writable && !away && !isPending) mutate();
  }, [dirty, writable, away, isPending, mutate]);
  const refused = save.error instanceof ApiError && save.error.status !== 412 ? save.error : undefined;
  const faults = useMemo<ScriptFault[]>(() => {
    if (dirty) return check.diagnostics;
    return live?.file === file ? [live] : [];
  }, [dirty, check.diagnostics, live, file]);
  const onChange = useCallback(
    (next: string) => {
      setText(next);
      if (save.error) save.reset();
    },
    [save],
  );

  if (theirs)
    return (
      <Merge
        file={file}
        mine={text}
        theirs={theirs.text}
        onDone={(merged) => {
          setBase(theirs);
          setText(merged);
          setTheirs(undefined);
          save.reset();
        }}
      />
    );
  return (
    <>
      <CodeBox
        file={file}
        text={text}
        readOnly={!writable}
        faults={faults}
        line={line}
        onChange={onChange}
        onSave={onSave}
      />
      {(faults.length > 0 || refused) && (
        <ul
          aria-label="Faults"
          className="max-h-32 shrink-0 overflow-auto border-line border-t px-4 py-1 text-red text-sm"
        >
          {faults.map((f) => (
            <li key={`${f.file}:${f.line}:${f.message}`}>
              <Link href={paths.policy(f.file ?? file, f.line)} className="font-mono underline">
                {f.file ?? file}
                {f.line ? `:${f.line}` : ""}
              </Link>{" "}
              {f.message}
            </li>
          ))}
          {refused && faults.length === 0 && <li role="alert">{refused.message}</li>}
        </ul>
      )}
      {!refused && save.error && !(save.error instanceof ApiError) && (
        <ErrorNote error={save.error} className="m-2" />
      )}
      <footer className="flex flex-wrap items-center gap-2 border-line border-t bg-panel px-4 py-2">
        <StatusLine
          dirty={dirty}
          checking={check.busy}
          faults={faults.length}
          list={scripts.data}
          writable={writable}
        />
        <span className="grow" />
        <Button size="small" onClick={() => setHistory(true)}>
          History
        </Button>
        {policy && (
          <Button
            size="small"
            blocked={away}
            title="What this text would decide for the projects as they are now"
            onClick={() => setDry(true)}
          >
            Dry run
          </Button>
        )}
        {writable && (
          <>
            <Button size="small" blocked={away} onClick={() => setRemove(true)}>
              Delete
            </Button>
            <Button size="small" disabled={!dirty} onClick={() => setText(base.text)}>
              Undo all
            </Button>
            <Button
              kind="primary"
              size="small"
              busy={isPending}
              disabled={!dirty}
              blocked={away}
              onClick={onSave}
              title="Ctrl+S"
            >
              Save
            </Button>
          </>
        )}
      </footer>
      {dry && policy && (
        <DryRun decision={policy[1] ?? ""} name={policy[2] ?? ""} text={text} close={() => setDry(false)} />
      )}
      {remove && <DeleteScript file={file} etag={base.etag} close={() => setRemove(false)} />}
      {history && (
        <History
          file={file}
          current={base.text}
          writable={writable}
          onBring={setText}
          close={() => setHistory(false)}
        />
      )}
    </>
  );
}
