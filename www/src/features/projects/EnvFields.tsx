// Environment variables. Their values go in and never come back: a stored one shows only that it is there.
// SPDX-License-Identifier: Apache-2.0
import { Plus, X } from "lucide-react";
import { Button } from "@/ui/Button";
import { Input } from "@/ui/Field";
import type { EnvRow } from "./settings";

export function EnvFields({
  env,
  onChange,
  fault,
}: {
  env: EnvRow[];
  onChange(env: EnvRow[]): void;
  fault?: string;
}) {
  const put = (i: number, change: Partial<EnvRow>) =>
    onChange(env.with(i, { ...(env[i] as EnvRow), ...change }));
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="mb-1 font-medium text-sm">Environment</legend>
      {env.map((row, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows are edited in place, their names change while typed
        <div key={i} className="flex gap-2">
          <Input
            aria-label={`Name of variable ${i + 1}`}
            placeholder="NAME"
            className="font-mono text-sm"
            value={row.key}
            readOnly={row.kept}
            onChange={(e) => put(i, { key: e.target.value })}
          />
          <Input
            aria-label={`Value of ${row.key || `variable ${i + 1}`}`}
            type="password"
            autoComplete="new-password"
            placeholder={row.kept ? "kept; type to replace" : "value"}
            value={row.value}
            onChange={(e) => put(i, { value: e.target.value })}
          />
          <Button
            kind="quiet"
            size="icon"
            aria-label={`Remove ${row.key || "variable"}`}
            onClick={() => onChange(env.toSpliced(i, 1))}
          >
            <X size={16} aria-hidden />
          </Button>
        </div>
      ))}
      <div>
        <Button size="small" onClick={() => onChange([...env, { key: "", value: "", kept: false }])}>
          <Plus size={14} aria-hidden /> Add a variable
        </Button>
      </div>
      <p className={fault ? "text-red text-sm" : "text-muted text-sm"} role={fault ? "alert" : undefined}>
        {fault ?? "Values are sealed on the host and never shown again."}
      </p>
    </fieldset>
  );
}
