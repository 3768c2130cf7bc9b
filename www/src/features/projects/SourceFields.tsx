// Where the agent's server comes from, as a form.
// SPDX-License-Identifier: Apache-2.0
import type { Source } from "@/api/schema";
import { Choice, Field, Input } from "@/ui/Field";

const KINDS: { type: Source["type"]; label: string }[] = [
  { type: "builtin", label: "Built in (Gander's own)" },
  { type: "git", label: "Git repository" },
  { type: "tarball", label: "Tarball" },
  { type: "image", label: "Container image" },
  { type: "snapshot", label: "Snapshot" },
];

export function emptySource(type: Source["type"]): Source {
  switch (type) {
    case "git":
      return { type, url: "" };
    case "tarball":
      return { type, url: "" };
    case "image":
      return { type, image: "" };
    case "snapshot":
      return { type, snapshot_id: "" };
    default:
      return { type: "builtin" };
  }
}

interface Props {
  source: Source;
  onChange(source: Source): void;
  fault?: string;
}

export function SourceFields({ source, onChange, fault }: Props) {
  return (
    <div className="flex flex-col gap-4">
      <Field label="Source" fault={source.type === "builtin" ? fault : undefined}>
        {(f) => (
          <Choice
            {...f}
            value={source.type}
            onChange={(e) => onChange(emptySource(e.target.value as Source["type"]))}
          >
            {KINDS.map((k) => (
              <option key={k.type} value={k.type}>
                {k.label}
              </option>
            ))}
          </Choice>
        )}
      </Field>
      {(source.type === "git" || source.type === "tarball") && (
        <Field label="URL" fault={fault} hint={source.type === "git" ? "https, ssh or git." : undefined}>
          {(f) => (
            <Input {...f} value={source.url} onChange={(e) => onChange({ ...source, url: e.target.value })} />
          )}
        </Field>
      )}
      {source.type === "git" && (
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Revision" hint="Branch, tag or commit.">
            {(f) => (
              <Input
                {...f}
                value={source.revision ?? ""}
                onChange={(e) => onChange({ ...source, revision: e.target.value || undefined })}
              />
            )}
          </Field>
          <Field label="Directory">
            {(f) => (
              <Input
                {...f}
                value={source.directory ?? ""}
                onChange={(e) => onChange({ ...source, directory: e.target.value || undefined })}
              />
            )}
          </Field>
          <Field label="User name">
            {(f) => (
              <Input
                {...f}
                value={source.username ?? ""}
                onChange={(e) => onChange({ ...source, username: e.target.value || undefined })}
              />
            )}
          </Field>
          <Field label="Password or token" hint="Written once, never shown.">
            {(f) => (
              <Input
                {...f}
                type="password"
                autoComplete="new-password"
                value={source.password ?? ""}
                onChange={(e) => onChange({ ...source, password: e.target.value || undefined })}
              />
            )}
          </Field>
        </div>
      )}
      {source.type === "image" && (
        <Field label="Image" fault={fault}>
          {(f) => (
            <Input
              {...f}
              value={source.image}
              onChange={(e) => onChange({ ...source, image: e.target.value })}
            />
          )}
        </Field>
      )}
      {source.type === "snapshot" && (
        <Field label="Snapshot id" fault={fault}>
          {(f) => (
            <Input
              {...f}
              value={source.snapshot_id}
              onChange={(e) => onChange({ ...source, snapshot_id: e.target.value })}
            />
          )}
        </Field>
      )}
    </div>
  );
}
