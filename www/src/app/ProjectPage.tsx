// One project: its head, its tabs, and the view of the tab. Chat and Logs can stand side by side on a wide screen.
// SPDX-License-Identifier: Apache-2.0
import { Settings as Cog, Columns2, MessageSquare, Activity as Pulse, ScrollText } from "lucide-react";
import { type ReactNode, Suspense, useEffect, useState } from "react";
import { Link } from "wouter";
import { useAway, useProjects } from "@/api/hooks";
import type { Project } from "@/api/schema";
import { useWant } from "@/features/projects/acts";
import { ProjectHead } from "@/features/projects/ProjectHead";
import { cn } from "@/lib/cn";
import { paths } from "@/lib/session";
import { useRemembered } from "@/lib/storage";
import { Button } from "@/ui/Button";
import { Bones, Empty, ErrorNote } from "@/ui/Notes";
import { ActivityView, ChatView, fetchAhead, LogsView, SettingsView, SideBySide } from "./lazy";

const TABS = [
  { id: "chat", label: "Chat", Icon: MessageSquare },
  { id: "logs", label: "Logs", Icon: ScrollText },
  { id: "activity", label: "Activity", Icon: Pulse },
  { id: "settings", label: "Settings", Icon: Cog },
];

interface Props {
  user: string;
  id: string;
  tab: string;
  session?: string;
}

export function ProjectPage({ user, id, tab, session }: Props) {
  const projects = useProjects(user);
  const project = projects.data?.find((p) => p.id === id);
  const [split, setSplit] = useRemembered("split", "");
  const wide = useWide();
  if (!project) {
    if (projects.isPending) return <Bones lines={8} />;
    if (projects.error && !projects.data) return <ErrorNote error={projects.error} className="m-4" />;
    return (
      <Empty title="This project is gone">
        It was deleted, or it belongs to another user.{" "}
        <Link href={paths.user(user)} className="text-accent underline">
          All projects
        </Link>
      </Empty>
    );
  }
  const both = split === "on" && wide && (tab === "chat" || tab === "logs");
  return (
    <>
      <ProjectHead project={project} />
      <Tabs project={project} tab={tab}>
        {wide && (tab === "chat" || tab === "logs") && (
          <Button
            kind="quiet"
            size="small"
            aria-pressed={both}
            className="ml-auto"
            onClick={() => setSplit(split === "on" ? "" : "on")}
          >
            <Columns2 size={14} aria-hidden /> {both ? "One at a time" : "Chat and logs"}
          </Button>
        )}
      </Tabs>
      <Suspense fallback={<Bones lines={6} />}>
        {both ? (
          <SideBySide
            left={<View project={project} tab="chat" session={session} />}
            right={<View project={project} tab="logs" />}
          />
        ) : (
          <div className="@container flex min-h-0 grow flex-col max-md:pb-14">
            <View project={project} tab={tab} session={session} />
          </div>
        )}
      </Suspense>
    </>
  );
}

function View({ project, tab, session }: { project: Project; tab: string; session?: string }) {
  if (tab === "logs") return <LogsView project={project} />;
  if (tab === "activity") return <ActivityView project={project} />;
  if (tab === "settings") return <SettingsView key={project.id} project={project} />;
  return <ChatView project={project} session={session} activate={<ActivateToGoOn project={project} />} />;
}

function ActivateToGoOn({ project }: { project: Project }): ReactNode {
  const want = useWant();
  const away = useAway();
  return (
    <div className="flex flex-col items-center gap-2">
      <Button
        kind="primary"
        blocked={away}
        busy={want.isPending}
        onClick={() => want.mutate({ project, want: "activate" })}
      >
        Activate to go on
      </Button>
      <ErrorNote error={want.error} />
    </div>
  );
}

function Tabs({ project, tab, children }: { project: Project; tab: string; children: ReactNode }) {
  return (
    <nav
      aria-label="Views of the project"
      className="flex shrink-0 items-center border-line border-b px-3 max-md:fixed max-md:inset-x-0 max-md:bottom-0 max-md:z-30 max-md:h-14 max-md:border-t max-md:border-b-0 max-md:bg-panel max-md:px-0"
    >
      {TABS.map(({ id, label, Icon }) => (
        <Link
          key={id}
          href={paths.project(project.user_id, project.id, id)}
          aria-current={tab === id ? "page" : undefined}
          onPointerEnter={() => fetchAhead(id)}
          onFocus={() => fetchAhead(id)}
          data-tab={id}
          className={cn(
            "-mb-px flex h-9 items-center gap-1.5 border-transparent border-b-2 px-3 font-medium text-muted text-sm hover:text-text",
            "max-md:mb-0 max-md:h-14 max-md:flex-1 max-md:flex-col max-md:justify-center max-md:gap-0.5 max-md:border-t-2 max-md:border-b-0 max-md:text-xs",
            tab === id && "border-accent text-text",
          )}
        >
          <Icon size={14} aria-hidden className="max-md:size-5" /> {label}
        </Link>
      ))}
      {children}
    </nav>
  );
}

function useWide(): boolean {
  const [wide, setWide] = useState(() => window.matchMedia("(min-width: 1440px)").matches);
  useEffect(() => {
    const query = window.matchMedia("(min-width: 1440px)");
    const follow = () => setWide(query.matches);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, []);
  return wide;
}
