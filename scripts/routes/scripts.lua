-- The scripts over HTTP: list, read, check, write, history.
--
-- By HTTP only policies/ and cleanup/ can be written (they run without any access) unless scripts_write = "all".
-- SPDX-License-Identifier: Apache-2.0
local bus = require "gander.bus"
local app = require "lib.app"
local edit = require "lib.scripts_edit"
local history = require "lib.history"
local json = require "gander.json"
local schema = require "lib.schema"
local sys = require "gander.sys"

local FILES = schema.map(schema.nullable(schema.string { max = 1048576 }), { max = 100 })

local function find(path)
  for _, item in ipairs(sys.scripts.list().items) do
    if item.path == path then return item end
  end
end

-- A live module's own sentence; a file that is broken on disk has none.
local function doc_of(path)
  local ok, module = pcall(require, (path:gsub("%.lua$", ""):gsub("/", ".")))
  return ok and type(module) == "table" and type(module.doc) == "string" and module.doc or nil
end

local function with_doc(item)
  local kind = item.kind
  if kind == "policies" or kind == "cleanup" or kind == "jobs" then item.doc = doc_of(item.path) end
  return item
end

local function list()
  local headers = { ["X-Gander-Event-Id"] = bus.cursor { "host" } }
  local all = sys.scripts.list()
  local items = json.array {}
  for i, item in ipairs(all.items) do
    items[i] = with_doc(item)
  end
  local fault = all.faults[1]
  return 200,
    {
      generation = all.generation,
      loaded_at = all.loaded_at,
      items = items,
      error = fault and { file = fault.file, line = fault.line, message = fault.message } or json.null,
      diagnostics = all.faults,
      writable = sys.config.scripts_write == "all" and "all" or "rules",
    },
    headers
end

local TEXT = "text/x-lua; charset=utf-8"

local function show(req)
  local path = req.params.path
  if req.query.history ~= nil then
    return 200, app.page(history.of(path, req.query.limit, req.query.after or math.maxinteger))
  end
  if req.query.generation then
    local text = history.text(path, req.query.generation)
    if not text then
      return app.fail(
        "not_found",
        "Generation " .. req.query.generation .. " has no " .. path .. ", or is not kept any more"
      )
    end
    return 200, text, { ["Content-Type"] = TEXT }
  end
  local item = find(path)
  if not item then return app.fail("not_found", "There is no script " .. path) end
  return 200, sys.scripts.text(path), { ["Content-Type"] = TEXT, ETag = '"' .. item.etag .. '"' }
end

local function put(req)
  local existed = find(req.params.path) ~= nil
  local status, body, headers = edit.publish({ [req.params.path] = req.body }, edit.condition(req), req.by)
  return status == 200 and not existed and 201 or status, body, headers
end

return {
  ["GET /api/scripts"] = app.route {
    doc = "All scripts, the generation in force, and the error that keeps a newer one out.",
    answers = { [200] = "ScriptList" },
    handler = list,
  },
  ["GET /api/scripts/*path"] = app.route {
    doc = "One script's text; ?history lists its versions, ?generation=N gives the text of then.",
    query = schema.object {
      history = schema.optional(schema.any()),
      generation = schema.optional(schema.integer { min = 1 }),
      limit = schema.integer { min = 1, max = 200, default = 50 },
      after = schema.optional(schema.integer { min = 1 }),
    },
    answers = { [200] = { "lua", "list of ScriptVersion" }, [404] = "Error" },
    handler = show,
  },
  ["PUT /api/scripts/*path"] = app.route {
    doc = "Write one script: the whole set is checked first, nothing is written when the file is at fault.",
    raw = true,
    answers = { [200] = "Published", [201] = "Published", [400] = "Error", [403] = "Error", [412] = "Error" },
    handler = put,
  },
  ["DELETE /api/scripts/*path"] = app.route {
    doc = "Remove one script, if the set is sound without it.",
    answers = { [204] = "removed", [400] = "Error", [403] = "Error", [404] = "Error", [412] = "Error" },
    handler = function(req)
      if not find(req.params.path) then return app.fail("not_found", "There is no script " .. req.params.path) end
      local status, body, headers = edit.publish({ [req.params.path] = json.null }, edit.condition(req), req.by)
      if status == 200 then return 204 end
      return status, body, headers
    end,
  },
  ["POST /api/scripts"] = app.route {
    doc = "Write several scripts as one generation.",
    body = schema.object { files = FILES, if_match = schema.optional(schema.map(schema.string { max = 100 })) },
    answers = { [200] = "Published", [400] = "Error", [403] = "Error", [412] = "Error" },
    handler = function(req)
      return edit.publish(req.body.files, req.body.if_match, req.by)
    end,
  },
  ["POST /api/scripts/check"] = app.route {
    doc = "Would the set do with these texts? Nothing is written.",
    body = schema.object { files = FILES },
    answers = { [200] = "Checked" },
    handler = function(req)
      local result, message, code = sys.scripts.check { files = req.body.files }
      if not result then return app.fail(code, message) end
      return 200, result
    end,
  },
}
