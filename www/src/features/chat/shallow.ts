// A remark step that keeps a tree shallow: what an agent nests deeper than anybody reads becomes text. Thousands of
// nested quotes would otherwise end in a full stack of the page.
// SPDX-License-Identifier: Apache-2.0

interface Node {
  type: string;
  value?: string;
  children?: Node[];
}

const DEEPEST = 40;
const BLOCKS = new Set(["blockquote", "list", "listItem"]);

export function shallow() {
  return (tree: Node): void => {
    const open: [Node, number][] = [[tree, 0]];
    for (let at = open.pop(); at; at = open.pop()) {
      const [node, depth] = at;
      if (!node.children) continue;
      if (depth < DEEPEST) {
        for (const child of node.children) open.push([child, depth + 1]);
        continue;
      }
      const text: Node = { type: "text", value: textOf(node) };
      node.children = BLOCKS.has(node.type) ? [{ type: "paragraph", children: [text] }] : [text];
    }
  };
}

function textOf(node: Node): string {
  const words: string[] = [];
  const open = [node];
  for (let at = open.pop(); at; at = open.pop()) {
    if (at.value !== undefined) words.push(at.value);
    if (at.children) open.push(...at.children.toReversed());
  }
  return words.join(" ");
}
