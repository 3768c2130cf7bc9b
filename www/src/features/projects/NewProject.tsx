// A new project: a name is enough; where it comes from and its provider can be said.
// SPDX-License-Identifier: Apache-2.0
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { json, path } from "@/api/client";
import { ApiError } from "@/api/errors";
import { useSystem } from "@/api/hooks";
import type { Project, Source } from "@/api/schema";
import { paths } from "@/lib/session";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Area, Choice, Field, Input } from "@/ui/Field";
import { ErrorNote } from "@/ui/Notes";
import { keepProject } from "./keep";
import { emptySource, SourceFields } from "./SourceFields";

export default function NewProject({ user, close }: { user: string; close(): void }) {
  const [, go] = useLocation();
  const system = useSystem();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [source, setSource] = useState<Source>(emptySource("builtin"));
  const [provider, setProvider] = useState("");
  const [tried, setTried] = useState(false);
  const create = useMutation({
    mutationFn: () =>
      json<Project>("POST", path`/api/users/${user}/projects`, {
        body: {
          name: name.trim(),
          ...(description.trim() && { description: description.trim() }),
          ...(source.type !== "builtin" && { source }),
          ...(provider && { provider }),
        },
        headers: {},
      }),
    onSuccess: (p) => {
      keepProject(p);
      close();
      go(paths.project(user, p.id));
    },
  });
  const error = create.error instanceof ApiError ? create.error : undefined;
  const nameFault = tried && !name.trim() ? "A project needs a name." : error?.field("name");
  const sourceFault = error?.field("source");
  const known = nameFault ?? error?.field("description") ?? sourceFault ?? error?.field("provider");
  const providers = system.data?.providers ?? [];
  return (
    <Dialog
      open
      onOpenChange={close}
      title="New project"
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button kind="primary" type="submit" form="new-project" busy={create.isPending}>
            Create project
          </Button>
        </>
      }
    >
      <form
        id="new-project"
        className="flex flex-col gap-4"
        noValidate
        onSubmit={(e) => {
          e.preventDefault();
          setTried(true);
          if (name.trim()) create.mutate();
        }}
      >
        <Field label="Name" fault={nameFault}>
          {(f) => (
            <Input {...f} value={name} maxLength={80} onChange={(e) => setName(e.target.value)} autoFocus />
          )}
        </Field>
        <Field label="Description" hint="Optional." fault={error?.field("description")}>
          {(f) => (
            <Area
              {...f}
              rows={2}
              maxLength={500}
              value={description}
              onChange={(e) => setDescription(e.target.value)}
            />
          )}
        </Field>
        <SourceFields source={source} onChange={setSource} fault={sourceFault} />
        {providers.length > 1 && (
          <Field label="Provider" fault={error?.field("provider")} hint={isolationOf(providers, provider)}>
            {(f) => (
              <Choice {...f} value={provider} onChange={(e) => setProvider(e.target.value)}>
                <option value="">Default</option>
                {providers.map((p) => (
                  <option key={p.name}>{p.name}</option>
                ))}
              </Choice>
            )}
          </Field>
        )}
        {!known && <ErrorNote error={create.error} />}
      </form>
    </Dialog>
  );
}

function isolationOf(
  providers: { name: string; default?: boolean; isolation?: { statement: string } }[],
  name: string,
) {
  return providers.find((p) => (name ? p.name === name : p.default))?.isolation?.statement;
}
