-- Files of projects that the store does not know: listed in `warnings`, never touched.
--
-- A wrong or restored store must not cost anybody files, so no rule is asked about them. A project's document is there
-- before its files and goes after them: what is found here was not left by a delete.
-- SPDX-License-Identifier: Apache-2.0
local db = require "lib.store"
local providers = require "lib.providers"
local warnings = require "lib.warnings"

local M = {}

local PAGES = 100

local function add_unknown(sentences, entry)
  local project, message = db.projects:find_one { _id = entry.project_id }
  if message then error("projects cannot be read: " .. message) end
  if project then return end
  sentences[#sentences + 1] = "The store knows no project "
    .. entry.project_id
    .. "; its files are kept in "
    .. entry.path
end

-- Look through the workspaces of all providers that keep some.
function M.note()
  local sentences = {}
  for _, name in ipairs(providers.names()) do
    local provider, after = providers.get(name), nil
    for _ = 1, provider.workspaces and PAGES or 0 do
      local page, next_page = provider.workspaces(after)
      if not page then
        sentences[#sentences + 1] = "The files kept by provider '"
          .. name
          .. "' cannot be listed: "
          .. tostring(next_page)
      end
      for _, entry in ipairs(page or {}) do
        add_unknown(sentences, entry)
      end
      after = page and next_page
      if not after then break end
    end
  end
  warnings.set("workspaces", sentences)
end

return M
