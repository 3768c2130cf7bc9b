// An agent's words as Markdown, safely: raw HTML stays text, remote images become links, links open apart.
// SPDX-License-Identifier: Apache-2.0
import { memo, type ReactElement, type ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import rehypeHighlight from "rehype-highlight";
import remarkGfm from "remark-gfm";
import { Copy } from "@/ui/Notes";
import { tame } from "./tame";
import "./markdown.css";

const components: Components = {
  a: ({ href, children }) =>
    href ? (
      <a href={href} target="_blank" rel="noopener noreferrer">
        {children}
      </a>
    ) : (
      <span>{children}</span>
    ),
  img: ({ src, alt }) =>
    typeof src === "string" && src ? (
      <a href={src} target="_blank" rel="noopener noreferrer">
        {alt || src}
      </a>
    ) : (
      <span>{alt}</span>
    ),
  table: ({ children }) => (
    <div className="table-box" tabIndex={0} role="group" aria-label="Table">
      <table>{children}</table>
    </div>
  ),
  pre: ({ children }) => <CodeBlock>{children}</CodeBlock>,
};

function CodeBlock({ children }: { children?: ReactNode }) {
  const code = children as ReactElement<{ className?: string; children?: ReactNode }> | undefined;
  const language = code?.props?.className?.match(/language-(\S+)/)?.[1] ?? "text";
  return (
    <div className="code-box">
      <div className="code-head">
        <span>{language}</span>
        <Copy text={() => flat(code?.props?.children)} label="Copy code" />
      </div>
      <pre tabIndex={0}>{children}</pre>
    </div>
  );
}

function flat(node: ReactNode): string {
  if (typeof node === "string" || typeof node === "number") return String(node);
  if (Array.isArray(node)) return node.map(flat).join("");
  const inner = (node as ReactElement<{ children?: ReactNode }> | undefined)?.props?.children;
  return inner === undefined ? "" : flat(inner);
}

const remark = [remarkGfm];
const rehype = [[rehypeHighlight, { detect: false, ignoreMissing: true }]] as never;

export const Markdown = memo(function Markdown({ text }: { text: string }) {
  const source = tame(text);
  if (source === undefined)
    return (
      <pre tabIndex={0} className="max-h-96 overflow-auto whitespace-pre-wrap break-words font-mono text-xs">
        {text}
      </pre>
    );
  return (
    <div className="markdown" dir="auto">
      <ReactMarkdown remarkPlugins={remark} rehypePlugins={rehype} components={components}>
        {source}
      </ReactMarkdown>
    </div>
  );
});
