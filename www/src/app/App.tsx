// Addresses to views.
// SPDX-License-Identifier: Apache-2.0
import { QueryClientProvider } from "@tanstack/react-query";
import { Toaster } from "sonner";
import { Redirect, Route, Switch } from "wouter";
import { useUsers } from "@/api/hooks";
import { cache } from "@/api/live";
import { ProjectDialogs } from "@/features/projects/acts";
import { Welcome } from "@/features/projects/Welcome";
import { lastUser, paths } from "@/lib/session";
import { Button } from "@/ui/Button";
import { Bones, Empty, ErrorNote } from "@/ui/Notes";
import { Broken } from "./Broken";
import { PolicyPage } from "./PolicyPage";
import { ProjectPage } from "./ProjectPage";
import { Shell } from "./Shell";
import { useTheme } from "./theme";
import { UserPicker } from "./UserPicker";

export function App() {
  const [theme, turn] = useTheme();
  return (
    <QueryClientProvider client={cache}>
      <Broken>
        <ProjectDialogs>
          <Switch>
            <Route path="/">
              <Start />
            </Route>
            <Route path="/users">
              <UserPicker />
            </Route>
            <Route path="/u/:user">
              {({ user }: { user: string }) => (
                <Shell user={user} theme={theme} turn={turn} home>
                  <Welcome user={user} />
                </Shell>
              )}
            </Route>
            <Route path="/u/:user/p/:project/:tab?/:session?">
              {(params: { user: string; project: string; tab?: string; session?: string }) => (
                <Shell user={params.user} project={params.project} tab={params.tab} theme={theme} turn={turn}>
                  <ProjectPage
                    key={params.project}
                    user={params.user}
                    id={params.project}
                    tab={params.tab ?? "chat"}
                    session={params.session}
                  />
                </Shell>
              )}
            </Route>
            <Route path="/policies/*?">
              {(params) => (
                <Shell user={lastUser()} policies theme={theme} turn={turn}>
                  <PolicyPage file={params["*"] ?? ""} />
                </Shell>
              )}
            </Route>
            <Route>
              <Shell user={lastUser()} theme={theme} turn={turn}>
                <Empty title="There is nothing at this address">Pick a project, or go to the policies.</Empty>
              </Shell>
            </Route>
          </Switch>
        </ProjectDialogs>
      </Broken>
      <Toaster
        theme={theme}
        position="top-right"
        offset={{ top: 56, right: 12 }}
        duration={2500}
        closeButton
        style={
          {
            fontFamily: "inherit",
            "--normal-bg": "var(--raised)",
            "--normal-text": "var(--text)",
            "--normal-border": "var(--line)",
            "--width": "280px",
          } as React.CSSProperties
        }
      />
    </QueryClientProvider>
  );
}

/** Straight to the projects where there is only one user to pick, or one was picked before. */
function Start() {
  const users = useUsers();
  if (users.isPending) return <Bones />;
  if (users.error && !users.data)
    return (
      <main className="p-6">
        <h1 className="mb-3 font-semibold text-xl">Gander</h1>
        <ErrorNote error={users.error}>
          <Button size="small" onClick={() => void users.refetch()}>
            Try again
          </Button>
        </ErrorNote>
      </main>
    );
  const last = lastUser();
  const known = users.data?.some((u) => u.id === last);
  const only = users.data?.length === 1 ? users.data[0] : undefined;
  if (known) return <Redirect to={paths.user(last)} replace />;
  if (only) return <Redirect to={paths.user(only.id)} replace />;
  return <Redirect to="/users" replace />;
}
