// The first look: what Gander is, one button, and a second that makes a demo project and opens its chat.
// SPDX-License-Identifier: Apache-2.0
import { useMutation } from "@tanstack/react-query";
import { useLocation } from "wouter";
import { json, path } from "@/api/client";
import { projectPath, useAway, useProjects } from "@/api/hooks";
import type { Project } from "@/api/schema";
import { paths } from "@/lib/session";
import { remember } from "@/lib/storage";
import { tourKey } from "@/lib/tour";
import { Button } from "@/ui/Button";
import { Bones, ErrorNote } from "@/ui/Notes";
import { useDialogs } from "./acts";
import { keepProject } from "./keep";

export function Welcome({ user }: { user: string }) {
  const projects = useProjects(user);
  const open = useDialogs();
  const away = useAway();
  const [, go] = useLocation();
  const demo = useMutation({
    mutationFn: async () => {
      const p = await json<Project>("POST", path`/api/users/${user}/projects`, {
        body: { name: demoName(projects.data ?? []), description: "A first look at Gander." },
      });
      keepProject(p);
      remember(tourKey(p.id), "0");
      go(paths.project(user, p.id));
      keepProject(await json<Project>("POST", `${projectPath(user, p.id)}/activate`, { body: {} }));
    },
  });
  if (projects.isPending) return <Bones />;
  const none = projects.data?.length === 0;
  return (
    <div className="mx-auto flex w-full max-w-xl flex-col gap-4 px-6 py-16 max-md:gap-2 max-md:px-4 max-md:py-4">
      <h1 className="font-semibold text-xl">{none ? "Welcome to Gander" : "Pick a project"}</h1>
      <p className="text-muted">
        {none
          ? "Gander gives every project its own isolated Goose agent, and you set the rules that govern it."
          : "Its chat, logs and decisions open here. Each project has its own isolated agent."}
      </p>
      <div className="flex flex-wrap gap-2">
        <Button kind="primary" blocked={away} onClick={() => open({ kind: "new", user })}>
          New project
        </Button>
        {none && (
          <Button blocked={away} busy={demo.isPending} onClick={() => demo.mutate()}>
            Make a demo project
          </Button>
        )}
      </div>
      {none && (
        <p className="text-muted text-sm">
          The demo makes a project, starts its agent and opens its chat with a tour of two minutes.
        </p>
      )}
      <ErrorNote error={demo.error} />
    </div>
  );
}

function demoName(list: Project[]): string {
  const taken = new Set(list.map((p) => p.name.toLowerCase()));
  for (let n = 1; ; n++) {
    const name = n === 1 ? "demo" : `demo ${n}`;
    if (!taken.has(name)) return name;
  }
}
