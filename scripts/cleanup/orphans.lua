-- SPDX-License-Identifier: Apache-2.0
return {
  doc = "A sandbox of this installation that no project claims is stopped after orphan_minutes (default 5). Never its files.",
  of = "instance",
  every_s = 60,

  decide = function(item, facts)
    if item.known then return keep "a project claims it" end
    local minutes = facts.settings.orphan_minutes or 5
    if item.orphan_ms >= minutes * 60000 then
      return remove("no project has claimed it for " .. item.orphan_ms // 60000 .. " minutes")
    end
    return keep "it may still be claimed"
  end,

  tests = {
    { name = "a project's own sandbox stays", item = { known = true, orphan_ms = 0 }, expect = "keep" },
    { name = "an unknown one has its grace", item = { known = false, orphan_ms = 60000 }, expect = "keep" },
    { name = "then it goes", item = { known = false, orphan_ms = 300000 }, expect = "remove" },
  },
}
