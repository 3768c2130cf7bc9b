// The project's name as the page's heading; a click or Enter turns it into a field, in place.
// SPDX-License-Identifier: Apache-2.0
import { useMutation } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { json } from "@/api/client";
import { ApiError, sentence } from "@/api/errors";
import { projectPath, useAway } from "@/api/hooks";
import type { Project } from "@/api/schema";
import { Input } from "@/ui/Field";
import { keepProject } from "./keep";

export function NameInPlace({ project: p }: { project: Project }) {
  const away = useAway();
  const [draft, setDraft] = useState<string>();
  const button = useRef<HTMLButtonElement>(null);
  const end = () => {
    setDraft(undefined);
    rename.reset();
    setTimeout(() => button.current?.focus());
  };
  const rename = useMutation({
    mutationFn: (name: string) => json<Project>("PATCH", projectPath(p.user_id, p.id), { body: { name } }),
    onSuccess: (answer) => {
      keepProject(answer);
      end();
    },
  });
  const save = () => {
    const name = draft?.trim();
    if (rename.isPending) return;
    if (!name || name === p.name) end();
    else rename.mutate(name);
  };
  const rule = rename.error instanceof ApiError ? rename.error.field("name") : undefined;
  // The host's rule is said of a field ("must have …"); here no label stands above it.
  const fault = rule?.replace(/^must /, "A name must ") ?? (rename.error && sentence(rename.error));
  if (draft === undefined)
    return (
      <h1 className="min-w-0 truncate font-semibold text-lg" dir="auto">
        <button
          ref={button}
          type="button"
          title={away ?? "Rename"}
          disabled={!!away}
          className="max-w-full truncate rounded px-1 text-left hover:bg-hover"
          onClick={() => setDraft(p.name)}
        >
          {p.name}
        </button>
      </h1>
    );
  return (
    <form
      className="relative min-w-0 max-w-md grow"
      onSubmit={(e) => {
        e.preventDefault();
        save();
      }}
    >
      <h1 className="sr-only">{p.name}</h1>
      <Input
        aria-label="Name of the project"
        aria-invalid={fault ? true : undefined}
        aria-describedby={fault ? "name-fault" : undefined}
        dir="auto"
        autoFocus
        className="font-semibold text-lg"
        value={draft}
        maxLength={80}
        readOnly={rename.isPending}
        onFocus={(e) => e.currentTarget.select()}
        onChange={(e) => {
          setDraft(e.target.value);
          rename.reset();
        }}
        onKeyDown={(e) => e.key === "Escape" && end()}
        // A fault stays on the screen until it is dealt with.
        onBlur={() => !fault && save()}
      />
      {fault && (
        <p
          id="name-fault"
          role="alert"
          className="absolute top-full left-0 z-20 mt-1 rounded-md border border-line bg-raised px-2 py-1 text-red text-sm shadow-lg"
        >
          {fault}
        </p>
      )}
    </form>
  );
}
