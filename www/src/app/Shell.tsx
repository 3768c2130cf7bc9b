// The frame of every view: header, list, the view itself; and what belongs to the page as a whole: the stream,
// what wants attention, the keys.
// SPDX-License-Identifier: Apache-2.0
import { FileCode2 } from "lucide-react";
import { type ReactNode, Suspense, useEffect } from "react";
import { Link } from "wouter";
import { setActingUser } from "@/api/client";
import { useUsers } from "@/api/hooks";
import { stream } from "@/api/live";
import { ProjectList } from "@/features/projects/ProjectList";
import { cn } from "@/lib/cn";
import { rememberUser } from "@/lib/session";
import { Bones, Empty } from "@/ui/Notes";
import { useAttention } from "./attention";
import { Banners } from "./Banners";
import { Header } from "./Header";
import { Keys } from "./Keys";
import { fetchAhead } from "./lazy";

interface Props {
  user: string;
  project?: string;
  tab?: string;
  policies?: boolean;
  /** The list itself is the view: what a phone shows first. */
  home?: boolean;
  theme: "light" | "dark";
  turn(): void;
  children: ReactNode;
}

export function Shell({ user, project, tab = "chat", policies, home, theme, turn, children }: Props) {
  setActingUser(user);
  const users = useUsers();
  const unknown = user !== "" && users.data && !users.data.some((u) => u.id === user);
  useEffect(() => {
    if (user) rememberUser(user);
    // Without a user the page still hears of scripts and alerts.
    return stream.declare(user ? { user } : {});
  }, [user]);
  useEffect(() => stream.watchPage(), []);
  useAttention(user, project, policies);
  return (
    <div className="flex h-full flex-col">
      <a
        href="#view"
        className="sr-only focus:not-sr-only focus:absolute focus:top-1 focus:left-1 focus:z-50 focus:rounded focus:bg-raised focus:p-2"
      >
        Skip to the view
      </a>
      <Header user={user} theme={theme} turn={turn} />
      <Banners />
      <div className={cn("flex min-h-0 grow", home && "max-md:flex-col-reverse")}>
        <aside
          aria-label="Places"
          className={cn(
            "w-66 shrink-0 flex-col border-line border-r bg-panel md:flex",
            home ? "flex max-md:min-h-0 max-md:w-full max-md:grow" : "hidden",
          )}
        >
          {user && !unknown && <ProjectList user={user} current={project} tab={tab} />}
          <Link
            href="/policies"
            onPointerEnter={() => fetchAhead("policies")}
            onFocus={() => fetchAhead("policies")}
            aria-current={policies ? "page" : undefined}
            className={cn(
              "mt-auto flex h-10 shrink-0 items-center gap-2 border-line border-t px-4 font-medium text-sm hover:bg-hover",
              policies && "bg-active",
            )}
          >
            <FileCode2 size={16} aria-hidden /> Policies
          </Link>
        </aside>
        <main
          id="view"
          tabIndex={-1}
          className={cn("flex min-w-0 grow flex-col outline-none", home && "max-md:grow-0")}
        >
          {unknown ? (
            <Empty title={`There is no user "${user}"`}>
              <Link href="/users" className="text-accent underline">
                Pick another
              </Link>
            </Empty>
          ) : (
            <Suspense fallback={<Bones lines={6} />}>{children}</Suspense>
          )}
        </main>
      </div>
      <Keys user={user} project={project} />
    </div>
  );
}
