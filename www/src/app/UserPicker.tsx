// Who is at the screen: picked from the host's list, and said as unverified.
// SPDX-License-Identifier: Apache-2.0
import { Link } from "wouter";
import { useUsers } from "@/api/hooks";
import { paths } from "@/lib/session";
import { count } from "@/lib/time";
import { Bones, Empty, ErrorNote } from "@/ui/Notes";

export function UserPicker() {
  const users = useUsers();
  return (
    <main className="mx-auto flex max-w-md flex-col gap-4 px-6 py-16">
      <div>
        <h1 className="font-semibold text-xl">Who are you?</h1>
        <p className="text-muted">Gander does not check this yet. It keeps the name beside what you do.</p>
      </div>
      {users.isPending && <Bones lines={3} className="p-0" />}
      {!users.data && <ErrorNote error={users.error} />}
      {users.data?.length === 0 && (
        <Empty title="No user is configured">Add one to users in config.lua.</Empty>
      )}
      <ul className="flex flex-col gap-2">
        {users.data?.map((u) => (
          <li key={u.id}>
            <Link
              href={paths.user(u.id)}
              className="flex min-h-12 items-center gap-3 rounded-md border border-line bg-raised px-4 hover:bg-hover"
            >
              <span className="grow font-medium">{u.name}</span>
              <span className="tnum text-muted text-sm">
                {count(u.projects?.total ?? 0, "project")}
                {u.projects?.active ? `, ${u.projects.active} active` : ""}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </main>
  );
}
