-- The contract of a store, for any engine: suite(load, open, again) -> tests.
--
-- `load(path)` runs a file of this repository; `open(t, collections)` gives an empty store that closes with `<close>`;
-- `again(t, store, collections)` gives a second handle on the same one.
-- SPDX-License-Identifier: Apache-2.0

local PARTS = { "order", "query", "random", "update", "write" }
local DIR = "tests/contract/store/"

return function(load, open, again)
  local collections, support = load(DIR .. "collections.lua"), load(DIR .. "support.lua")
  local tests = {}
  for _, part in ipairs(PARTS) do
    local list = load(DIR .. part .. ".lua")(
      function(t)
        return open(t, collections)
      end,
      support,
      function(t, store)
        return again(t, store, collections)
      end
    )
    for name, test in pairs(list) do
      tests[part .. ": " .. name] = test
    end
  end
  return tests
end
