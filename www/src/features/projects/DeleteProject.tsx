// Deleting names what goes; the name is asked for only where something can be lost.
// SPDX-License-Identifier: Apache-2.0
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { json } from "@/api/client";
import { projectPath, useContents } from "@/api/hooks";
import { keys } from "@/api/keys";
import { cache } from "@/api/live";
import type { Contents, Project } from "@/api/schema";
import { paths } from "@/lib/session";
import { bytes, count } from "@/lib/time";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field, Input } from "@/ui/Field";
import { ErrorNote } from "@/ui/Notes";
import { keepProject } from "./keep";

export function lossWords(c: Contents): string {
  const parts = [
    c.sessions > 0 && count(c.sessions, "session"),
    c.messages > 0 && count(c.messages, "message"),
    c.log_lines > 0 && count(c.log_lines, "log line"),
    c.file_bytes > 0 && `files of ${bytes(c.file_bytes)}`,
  ].filter((s): s is string => !!s);
  if (!parts.length) return "It holds nothing yet.";
  return `This goes with it: ${parts.join(", ")}.`;
}

export default function DeleteProject({ project, close }: { project: Project; close(): void }) {
  const [typed, setTyped] = useState("");
  const [at, go] = useLocation();
  const contents = useContents(project.user_id, project.id, true);
  const remove = useMutation({
    mutationFn: () => json<Project | undefined>("DELETE", projectPath(project.user_id, project.id)),
    onSuccess: (answer) => {
      if (answer) keepProject(answer);
      else
        cache.setQueryData<Project[]>(keys.projects(project.user_id), (old) =>
          old?.filter((p) => p.id !== project.id),
        );
      if (at.includes(project.id)) go(paths.user(project.user_id));
      close();
    },
  });
  const c = contents.data;
  const ask = !!c && (c.running || c.file_bytes > 0);
  return (
    <Dialog
      open
      onOpenChange={close}
      title={`Delete ${project.name}?`}
      description={
        c ? (
          <>
            {lossWords(c)} {c.running && "It is running: it is stopped first. "}This cannot be undone.
          </>
        ) : (
          "Counting what would go…"
        )
      }
      footer={
        <>
          <Button onClick={close}>Keep it</Button>
          <Button
            kind="danger"
            busy={remove.isPending}
            disabled={(!c && !contents.error) || (ask && typed.trim() !== project.name)}
            onClick={() => remove.mutate()}
          >
            Delete
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        {ask && (
          <Field label={`Type ${project.name} to confirm`}>
            {(f) => <Input {...f} value={typed} onChange={(e) => setTyped(e.target.value)} />}
          </Field>
        )}
        <ErrorNote error={contents.error ?? remove.error} />
      </div>
    </Dialog>
  );
}
