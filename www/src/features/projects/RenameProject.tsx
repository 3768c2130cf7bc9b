// A new name for a project.
// SPDX-License-Identifier: Apache-2.0
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { json } from "@/api/client";
import { ApiError } from "@/api/errors";
import { projectPath } from "@/api/hooks";
import type { Project } from "@/api/schema";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field, Input } from "@/ui/Field";
import { ErrorNote } from "@/ui/Notes";
import { keepProject } from "./keep";

export default function RenameProject({ project, close }: { project: Project; close(): void }) {
  const [name, setName] = useState(project.name);
  const save = useMutation({
    mutationFn: () =>
      json<Project>("PATCH", projectPath(project.user_id, project.id), { body: { name: name.trim() } }),
    onSuccess: (p) => {
      keepProject(p);
      close();
    },
  });
  const fault = save.error instanceof ApiError ? save.error.field("name") : undefined;
  return (
    <Dialog
      open
      onOpenChange={close}
      title="Rename project"
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button kind="primary" type="submit" form="rename" busy={save.isPending} disabled={!name.trim()}>
            Rename
          </Button>
        </>
      }
    >
      <form
        id="rename"
        className="flex flex-col gap-3"
        onSubmit={(e) => {
          e.preventDefault();
          save.mutate();
        }}
      >
        <Field label="Name" fault={fault}>
          {(f) => (
            <Input {...f} value={name} maxLength={64} onChange={(e) => setName(e.target.value)} autoFocus />
          )}
        </Field>
        {!fault && <ErrorNote error={save.error} />}
      </form>
    </Dialog>
  );
}
