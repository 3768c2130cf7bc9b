// A new rule: a folder, a name, and a text to begin with that already loads. Never over a file that is there.
// SPDX-License-Identifier: Apache-2.0
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { send } from "@/api/client";
import { ApiError } from "@/api/errors";
import { scriptPath, useAway } from "@/api/hooks";
import { keys } from "@/api/keys";
import { cache } from "@/api/live";
import { paths } from "@/lib/session";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Choice, Field, Input } from "@/ui/Field";
import { ErrorNote } from "@/ui/Notes";
import { nameFault, START, startText } from "./templates";

export default function NewScript({ folder, close }: { folder?: string; close(): void }) {
  const [where, setWhere] = useState(folder && START[folder] ? folder : "policies/admission");
  const [name, setName] = useState("");
  const [tried, setTried] = useState(false);
  const away = useAway();
  const [, go] = useLocation();
  const file = `${where}/${name.trim().replace(/\.lua$/, "")}.lua`;
  const bad = nameFault(name);
  const create = useMutation({
    mutationFn: async () => {
      const text = startText(where);
      const res = await send("PUT", scriptPath(file), { text, headers: { "If-None-Match": "*" } });
      return { text, etag: res.headers.get("ETag") ?? "" };
    },
    onSuccess: (stored) => {
      cache.setQueryData(keys.script(file), stored);
      void cache.invalidateQueries({ queryKey: keys.scripts });
      close();
      go(paths.policy(file));
    },
  });
  const taken =
    create.error instanceof ApiError && create.error.status === 412
      ? `There is already a file ${file}.`
      : undefined;
  const fault = (tried ? bad : undefined) ?? taken;
  return (
    <Dialog
      open
      onOpenChange={close}
      title="New script"
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button kind="primary" type="submit" form="new-script" blocked={away} busy={create.isPending}>
            Create script
          </Button>
        </>
      }
    >
      <form
        id="new-script"
        className="flex flex-col gap-4"
        noValidate
        onSubmit={(e) => {
          e.preventDefault();
          setTried(true);
          if (!bad) create.mutate();
        }}
      >
        <Field label="Decides" hint={START[where]?.hint}>
          {(f) => (
            <Choice {...f} value={where} onChange={(e) => setWhere(e.target.value)}>
              {Object.keys(START).map((path) => (
                <option key={path}>{path}</option>
              ))}
            </Choice>
          )}
        </Field>
        <Field label="File name" hint={`It is saved as ${file} and is live at once.`} fault={fault}>
          {(f) => (
            <Input
              {...f}
              className="font-mono"
              placeholder="quiet_hours"
              value={name}
              maxLength={64}
              autoFocus
              onChange={(e) => {
                setName(e.target.value);
                create.reset();
              }}
            />
          )}
        </Field>
        {!taken && <ErrorNote error={create.error} />}
      </form>
    </Dialog>
  );
}
