-- scripts_edit: what may be written over HTTP, and how a refusal is told.
-- SPDX-License-Identifier: Apache-2.0
local app = require "lib.app"
local json = require "gander.json"
local log = require "gander.log"
local sys = require "gander.sys"

local M = {}

-- If-Match: "etag"; If-None-Match: * (must not exist yet). -> {path = etag | "none"} | nil
function M.condition(req)
  local match, none = req.headers["if-match"], req.headers["if-none-match"]
  if none == "*" then
    return { [req.params.path] = "none" }
  elseif match and match ~= "*" then
    return { [req.params.path] = (match:gsub("^W/", ""):gsub('"', "")) }
  end
end

local function may_write(path)
  return sys.config.scripts_write == "all" or path:find "^policies/" ~= nil or path:find "^cleanup/" ~= nil
end

local function etags(files)
  local out = json.object {}
  for _, item in ipairs(sys.scripts.list().items) do
    if files[item.path] then out[item.path] = item.etag end
  end
  return out
end

-- files: {path = text | json.null} -> status, body, headers
function M.publish(files, if_match, by)
  for path in pairs(files) do
    if not may_write(path) then
      return app.fail(
        "denied",
        path
          .. ' cannot be written over HTTP: only policies/ and cleanup/ can, unless scripts_write = "all" in config.lua'
      )
    end
  end
  local result, message, code =
    sys.scripts.publish { files = json.object(files), if_match = json.object(if_match or {}) }
  if not result then return app.fail(code, message, nil, code == "conflict" and 412 or nil) end
  if not result.written then
    local first = result.diagnostics[1]
    return app.fail("invalid", string.format("%s:%d: %s", first.file, first.line, first.message), result.diagnostics)
  end
  log("info", "scripts written", { by = by, generation = result.generation, live = result.live })
  local tags = etags(files)
  local only = next(files)
  return 200,
    { generation = result.generation, live = result.live, diagnostics = result.diagnostics, etags = tags },
    next(files, only) == nil and tags[only] and { ETag = '"' .. tags[only] .. '"' } or nil
end

return M
