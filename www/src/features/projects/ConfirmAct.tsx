// "Activate?" asked once before it is done: what the key `a` opens. Enter says yes.
// SPDX-License-Identifier: Apache-2.0
import type { Project } from "@/api/schema";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { ErrorNote } from "@/ui/Notes";
import { ACT_WORDS, useWant } from "./acts";
import { type FirstAct, firstAct } from "./sentence";

function askWords(p: Project, act: FirstAct): string {
  switch (act) {
    case "activate":
      return "Its sandbox is made and its agent started.";
    case "retry":
      return "It is activated again, from the first step.";
    case "cancel":
      return p.state === "stopping"
        ? "It is not started again after it has stopped."
        : "What was made so far is cleaned up; the project becomes inactive.";
    case "deactivate":
      return p.settings?.workspace === "discard"
        ? "Its agent is stopped and its files go. Chats and logs stay."
        : "Its agent is stopped. Files, chats and logs stay.";
  }
}

export default function ConfirmAct({ project: p, close }: { project: Project; close(): void }) {
  const want = useWant();
  const act = firstAct(p);
  if (!act)
    return (
      <Dialog open onOpenChange={close} title={p.name} description="Nothing can be done to it just now." />
    );
  return (
    <Dialog
      open
      onOpenChange={close}
      title={`${ACT_WORDS[act]} ${p.name}?`}
      description={askWords(p, act)}
      footer={
        <>
          <Button onClick={close}>Not now</Button>
          <Button
            kind="primary"
            autoFocus
            busy={want.isPending}
            onClick={() => want.mutate({ project: p, want: act }, { onSuccess: close })}
          >
            {ACT_WORDS[act]}
          </Button>
        </>
      }
    >
      <ErrorNote error={want.error} />
    </Dialog>
  );
}
