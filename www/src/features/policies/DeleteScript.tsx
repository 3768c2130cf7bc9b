// Deleting a rule: against the version that was read, so that nobody's newer text goes unseen.
// SPDX-License-Identifier: Apache-2.0
import { useMutation } from "@tanstack/react-query";
import { useLocation } from "wouter";
import { send } from "@/api/client";
import { ApiError } from "@/api/errors";
import { scriptPath } from "@/api/hooks";
import { keys } from "@/api/keys";
import { cache } from "@/api/live";
import type { ScriptList } from "@/api/schema";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { ErrorNote } from "@/ui/Notes";

export function DeleteScript({ file, etag, close }: { file: string; etag: string; close(): void }) {
  const [, go] = useLocation();
  const remove = useMutation({
    mutationFn: () => send("DELETE", scriptPath(file), { headers: { "If-Match": etag } }),
    onSuccess: () => {
      close();
      go("/policies");
      cache.removeQueries({ queryKey: keys.script(file) });
      cache.setQueryData<ScriptList>(
        keys.scripts,
        (old) => old && { ...old, items: old.items.filter((s) => s.path !== file) },
      );
      void cache.invalidateQueries({ queryKey: keys.scripts });
    },
  });
  const stale = remove.error instanceof ApiError && remove.error.status === 412;
  return (
    <Dialog
      open
      onOpenChange={close}
      title={`Delete ${file}?`}
      description="What it decides is left to the other rules from the next moment on. Its versions stay in the history."
      footer={
        <>
          <Button onClick={close}>Keep it</Button>
          <Button kind="danger" busy={remove.isPending} disabled={stale} onClick={() => remove.mutate()}>
            Delete
          </Button>
        </>
      }
    >
      <ErrorNote
        error={
          stale ? "It was changed by someone else meanwhile. Read it again before it goes." : remove.error
        }
      />
    </Dialog>
  );
}
