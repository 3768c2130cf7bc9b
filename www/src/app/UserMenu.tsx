// Who is at the screen: the users to pick from, and what this browser does for the one picked.
// SPDX-License-Identifier: Apache-2.0
import { Bell, BellOff, Check, ChevronDown } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { useLocation } from "wouter";
import { useUsers } from "@/api/hooks";
import { paths } from "@/lib/session";
import { useRemembered } from "@/lib/storage";
import { Button } from "@/ui/Button";
import { type Act, Menu } from "@/ui/Menu";

const leaveNow = () => (typeof Notification === "undefined" ? "denied" : Notification.permission);

export function UserMenu({ user }: { user: string }) {
  const users = useUsers();
  const [, go] = useLocation();
  const [notify, setNotify] = useRemembered("notify", "");
  const [leave, setLeave] = useState(leaveNow);
  const on = notify === "on" && leave === "granted";
  const turn = async () => {
    if (on) return setNotify("");
    const answer = await Notification.requestPermission();
    setLeave(answer);
    setNotify(answer === "granted" ? "on" : "");
    if (answer !== "granted") toast.error("The browser gave no leave for notifications.");
  };
  if (!users.data) return null;
  const acts: Act[] = users.data.map((u) => ({
    label: u.name,
    icon: u.id === user && <Check size={14} aria-label="picked" />,
    run: () => go(paths.user(u.id)),
  }));
  acts.push({
    label: on ? "Stop notifying me" : "Notify me while I look elsewhere",
    icon: on ? <Bell size={14} aria-hidden /> : <BellOff size={14} aria-hidden />,
    blocked: leave === "denied" ? "The browser forbids notifications of this page." : undefined,
    apart: true,
    run: () => void turn(),
  });
  const name = users.data.find((u) => u.id === user)?.name ?? "Pick a user";
  return (
    <Menu acts={acts} label="Users and notifications" align="start">
      <Button aria-label={`User: ${name}`} title={on ? "You are told when a run ends or asks" : undefined}>
        <span className="max-w-36 truncate">{name}</span>
        {on && <Bell size={14} aria-hidden />}
        <ChevronDown size={14} aria-hidden />
      </Button>
    </Menu>
  );
}
