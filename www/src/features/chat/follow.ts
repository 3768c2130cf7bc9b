// Keeps a scroller at its end while the reader is there; leaves it alone once they scroll up.
// SPDX-License-Identifier: Apache-2.0
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

const NEAR = 48;

export function useFollow(box: RefObject<HTMLElement | null>, content: unknown) {
  const [following, setFollowing] = useState(true);
  const held = useRef(true);
  const toEnd = useCallback(() => {
    const el = box.current;
    if (!el) return;
    held.current = true;
    setFollowing(true);
    el.scrollTop = el.scrollHeight;
  }, [box]);
  const onScroll = useCallback(() => {
    const el = box.current;
    if (!el) return;
    const near = el.scrollHeight - el.scrollTop - el.clientHeight < NEAR;
    held.current = near;
    setFollowing(near);
  }, [box]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when what is shown has grown
  useLayoutEffect(() => {
    const el = box.current;
    if (el && held.current) el.scrollTop = el.scrollHeight;
  }, [content]);
  useEffect(() => {
    const el = box.current?.firstElementChild;
    if (!el) return;
    const watch = new ResizeObserver(() => {
      const b = box.current;
      if (b && held.current) b.scrollTop = b.scrollHeight;
    });
    watch.observe(el);
    return () => watch.disconnect();
  }, [box]);
  return { following, toEnd, onScroll };
}
