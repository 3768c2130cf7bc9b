// What is shown when the page itself fails: the words, and a way out.
// SPDX-License-Identifier: Apache-2.0
import { Component, type ReactNode } from "react";
import { Button } from "@/ui/Button";

export class Broken extends Component<{ children: ReactNode }, { error?: Error }> {
  state: { error?: Error } = {};
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    const stale = /dynamically imported module|Importing a module/.test(error.message);
    return (
      <main className="mx-auto flex max-w-xl flex-col gap-3 px-6 py-16">
        <h1 className="font-semibold text-xl">
          {stale ? "A part of the page did not load" : "The page failed"}
        </h1>
        <p className="break-words text-muted">
          {stale ? "The host is away or has a newer version of the page." : error.message}
        </p>
        <div>
          <Button kind="primary" onClick={() => location.reload()}>
            Reload
          </Button>
        </div>
      </main>
    );
  }
}
