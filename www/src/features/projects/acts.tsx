// What can be done to a project: one list for the head, the row's menu, the right-click and the keyboard.
// The dialogs live here too, once for the page.
// SPDX-License-Identifier: Apache-2.0
import { useMutation } from "@tanstack/react-query";
import { Ban, CirclePlay, Settings as Cog, Pencil, RotateCcw, Square, Trash2 } from "lucide-react";
import { createContext, lazy, type ReactNode, Suspense, useContext, useMemo, useState } from "react";
import { toast } from "sonner";
import { useLocation } from "wouter";
import { json } from "@/api/client";
import { sentence } from "@/api/errors";
import { projectPath, useAway } from "@/api/hooks";
import type { Project } from "@/api/schema";
import { paths } from "@/lib/session";
import type { Act } from "@/ui/Menu";
import { keepProject } from "./keep";
import { type FirstAct, firstAct } from "./sentence";

const NewProject = lazy(() => import("./NewProject"));
const DeleteProject = lazy(() => import("./DeleteProject"));
const RenameProject = lazy(() => import("./RenameProject"));
const ConfirmAct = lazy(() => import("./ConfirmAct"));

type Open = { kind: "new"; user: string } | { kind: "delete" | "rename" | "ask"; project: Project };
const Dialogs = createContext<(open: Open) => void>(() => {});
export const useDialogs = () => useContext(Dialogs);

export function ProjectDialogs({ children }: { children: ReactNode }) {
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  return (
    <Dialogs value={setOpen}>
      {children}
      <Suspense>
        {open?.kind === "new" && <NewProject user={open.user} close={close} />}
        {open?.kind === "delete" && <DeleteProject project={open.project} close={close} />}
        {open?.kind === "rename" && <RenameProject project={open.project} close={close} />}
        {open?.kind === "ask" && <ConfirmAct project={open.project} close={close} />}
      </Suspense>
    </Dialogs>
  );
}

export function useWant() {
  return useMutation({
    mutationFn: ({ project: p, want, force }: { project: Project; want: FirstAct; force?: boolean }) => {
      const up = want === "activate" || want === "retry";
      return json<Project>("POST", `${projectPath(p.user_id, p.id)}/${up ? "activate" : "deactivate"}`, {
        body: force ? { force: true } : {},
      });
    },
    onSuccess: keepProject,
  });
}

export const ACT_WORDS: Record<FirstAct, string> = {
  activate: "Activate",
  cancel: "Cancel",
  deactivate: "Deactivate",
  retry: "Retry",
};
const ICONS: Record<FirstAct, ReactNode> = {
  activate: <CirclePlay size={14} aria-hidden />,
  cancel: <Ban size={14} aria-hidden />,
  deactivate: <Square size={14} aria-hidden />,
  retry: <RotateCcw size={14} aria-hidden />,
};

export function useActs(p: Project): Act[] {
  const open = useDialogs();
  const [, go] = useLocation();
  const away = useAway();
  const { mutate } = useWant();
  return useMemo(() => {
    const first = firstAct(p);
    const acts: Act[] = [];
    const want = (act: FirstAct, force = false) =>
      mutate(
        { project: p, want: act, force },
        { onError: (e) => toast.error(sentence(e), { duration: 60_000 }) },
      );
    if (first)
      acts.push({
        label: ACT_WORDS[first],
        icon: ICONS[first],
        keys: "a",
        blocked: away,
        run: () => want(first),
      });
    if (p.state === "error")
      acts.push({ label: "Clean up", icon: ICONS.deactivate, blocked: away, run: () => want("deactivate") });
    if (p.state === "active" || p.state === "stopping")
      acts.push({
        label: "Force stop",
        icon: ICONS.cancel,
        blocked: away,
        run: () => want("deactivate", true),
      });
    acts.push(
      {
        label: "Rename",
        icon: <Pencil size={14} aria-hidden />,
        blocked: away,
        run: () => open({ kind: "rename", project: p }),
      },
      {
        label: "Settings",
        icon: <Cog size={14} aria-hidden />,
        run: () => go(paths.project(p.user_id, p.id, "settings")),
      },
      {
        label: "Delete",
        icon: <Trash2 size={14} aria-hidden />,
        danger: true,
        blocked: away,
        run: () => open({ kind: "delete", project: p }),
      },
    );
    return acts;
  }, [p, open, go, away, mutate]);
}
