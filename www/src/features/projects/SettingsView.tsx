// The settings of a project as a form. Only what was changed is sent, with the revision it was read at.
// SPDX-License-Identifier: Apache-2.0
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { toast } from "sonner";
import { json } from "@/api/client";
import { ApiError } from "@/api/errors";
import { projectPath, useAway, useSystem } from "@/api/hooks";
import type { Project } from "@/api/schema";
import { Button } from "@/ui/Button";
import { Area, Choice, Field, Input } from "@/ui/Field";
import { ErrorNote } from "@/ui/Notes";
import { useDialogs } from "./acts";
import { EnvFields } from "./EnvFields";
import { keepProject } from "./keep";
import { SourceFields } from "./SourceFields";
import { changesOf, type Draft, draftOf } from "./settings";

export default function SettingsView({ project: p }: { project: Project }) {
  const [base, setBase] = useState(p);
  const [draft, setDraft] = useState<Draft>(() => draftOf(p));
  const system = useSystem();
  const away = useAway();
  const open = useDialogs();
  const set = (change: Partial<Draft>) => setDraft((d) => ({ ...d, ...change }));
  const changes = changesOf(base, draft);
  const dirty = Object.keys(changes).length > 0;
  const save = useMutation({
    mutationFn: () =>
      json<Project>("PATCH", projectPath(p.user_id, p.id), {
        body: changes,
        headers: { "If-Match": `"${base.revision}"` },
      }),
    onSuccess: (answer) => {
      keepProject(answer);
      setBase(answer);
      setDraft(draftOf(answer));
      toast.success("Saved");
    },
  });
  const error = save.error instanceof ApiError ? save.error : undefined;
  const fault = (name: string) => error?.field(name) ?? error?.field(`settings.${name}`);
  const stale = p.revision !== base.revision && !save.isPending;
  const reload = () => {
    setBase(p);
    setDraft(draftOf(p));
    save.reset();
  };
  return (
    <form
      aria-label="Settings"
      noValidate
      className="min-h-0 grow overflow-auto"
      onSubmit={(e) => {
        e.preventDefault();
        if (dirty && !away) save.mutate();
      }}
    >
      <div className="mx-auto flex max-w-2xl flex-col gap-6 px-4 py-5">
        {p.applies && p.applies.length > 0 && (
          <p className="rounded-md bg-amber-soft px-3 py-2 text-amber">
            Waits for the next activation: {p.applies.join(", ").replaceAll("_", " ")}.
          </p>
        )}
        {stale && (
          <div className="flex items-center gap-3 rounded-md bg-amber-soft px-3 py-2 text-amber">
            <span className="grow">Someone else changed these settings.</span>
            <Button size="small" onClick={reload}>
              Show theirs
            </Button>
          </div>
        )}
        <Group title="Project">
          <Field label="Name" fault={fault("name")}>
            {(f) => (
              <Input
                {...f}
                value={draft.name}
                maxLength={80}
                onChange={(e) => set({ name: e.target.value })}
              />
            )}
          </Field>
          <Field label="Description" fault={fault("description")}>
            {(f) => (
              <Area
                {...f}
                rows={2}
                maxLength={500}
                value={draft.description}
                onChange={(e) => set({ description: e.target.value })}
              />
            )}
          </Field>
          <SourceFields
            source={draft.source}
            onChange={(source) => set({ source })}
            fault={fault("source")}
          />
          {(system.data?.providers.length ?? 0) > 1 && (
            <Field label="Provider" fault={fault("provider")}>
              {(f) => (
                <Choice {...f} value={draft.provider} onChange={(e) => set({ provider: e.target.value })}>
                  {system.data?.providers.map((x) => (
                    <option key={x.name}>{x.name}</option>
                  ))}
                </Choice>
              )}
            </Field>
          )}
        </Group>
        <Group title="Agent">
          <div className="grid gap-4 sm:grid-cols-3">
            <Field label="Engine" fault={fault("engine")}>
              {(f) => (
                <Choice {...f} value={draft.engine} onChange={(e) => set({ engine: e.target.value })}>
                  <option value="">Default</option>
                  <option>goose</option>
                  <option>echo</option>
                </Choice>
              )}
            </Field>
            <Field label="Mode of new chats" fault={fault("mode")}>
              {(f) => (
                <Choice {...f} value={draft.mode} onChange={(e) => set({ mode: e.target.value })}>
                  <option value="">Default</option>
                  <option value="approve">Ask before each tool</option>
                  <option value="smart_approve">Ask before risky tools</option>
                  <option value="auto">Auto: never ask</option>
                  <option value="chat">Chat only</option>
                </Choice>
              )}
            </Field>
            <Field label="Model" fault={fault("model")} hint="Empty: the host's.">
              {(f) => <Input {...f} value={draft.model} onChange={(e) => set({ model: e.target.value })} />}
            </Field>
          </div>
          {draft.mode === "auto" && <p className="text-red text-sm">Auto runs every tool without asking.</p>}
          <EnvFields env={draft.env} onChange={(env) => set({ env })} fault={fault("env")} />
        </Group>
        <Group title="Sandbox">
          <div className="grid gap-4 sm:grid-cols-2">
            <Field label="Network" fault={fault("egress")}>
              {(f) => (
                <Choice
                  {...f}
                  value={draft.egress}
                  onChange={(e) => set({ egress: e.target.value as Draft["egress"] })}
                >
                  <option value="">Default</option>
                  <option value="deny">None</option>
                  <option value="allow">All</option>
                  <option value="list">Only these</option>
                </Choice>
              )}
            </Field>
            <Field label="Files after it stops" fault={fault("workspace")}>
              {(f) => (
                <Choice {...f} value={draft.workspace} onChange={(e) => set({ workspace: e.target.value })}>
                  <option value="">Default</option>
                  <option value="keep">Keep</option>
                  <option value="discard">Discard</option>
                </Choice>
              )}
            </Field>
          </div>
          {draft.egress === "list" && (
            <Field
              label="Hosts it may reach"
              hint="One a line: host, *.host or CIDR."
              fault={fault("egress")}
            >
              {(f) => (
                <Area {...f} rows={3} value={draft.allow} onChange={(e) => set({ allow: e.target.value })} />
              )}
            </Field>
          )}
          <div className="grid gap-4 sm:grid-cols-4">
            {(
              [
                ["idle_minutes", "Idle minutes", "0: never stops."],
                ["timeout_s", "Timeout, s", "From 60."],
                ["vcpus", "vCPUs", "1 or even."],
                ["memory_mb", "Memory, MB", "Empty: default."],
              ] as const
            ).map(([key, label, hint]) => (
              <Field key={key} label={label} hint={hint} fault={fault(key)}>
                {(f) => (
                  <Input
                    {...f}
                    inputMode="numeric"
                    value={draft[key]}
                    onChange={(e) => set({ [key]: e.target.value })}
                  />
                )}
              </Field>
            ))}
          </div>
        </Group>
        <ErrorNote error={save.error} />
        <div className="sticky bottom-0 -mx-4 flex items-center gap-2 border-line border-t bg-bg px-4 py-3">
          <Button kind="primary" type="submit" busy={save.isPending} disabled={!dirty} blocked={away}>
            Save
          </Button>
          <Button disabled={!dirty} onClick={reload}>
            Undo
          </Button>
          <Button
            className="ml-auto text-red"
            kind="quiet"
            blocked={away}
            onClick={() => open({ kind: "delete", project: p })}
          >
            Delete project
          </Button>
        </div>
      </div>
    </form>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="flex flex-col gap-4">
      <h2 className="border-line border-b pb-1 font-semibold">{title}</h2>
      {children}
    </section>
  );
}
