-- Starts tests/support/echo-server.mjs for a spec; it ends when the handle is closed, or with the test's process.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"
local process = require "gander.process"
local sys = require "gander.sys"

local M = {}

-- {url=, process=, close()}; `before` is put in front of the command, `port` is one inside a namespace of its own.
function M.start(before, port)
  local argv = {}
  for _, word in ipairs(before or {}) do
    argv[#argv + 1] = word
  end
  argv[#argv + 1] = "node"
  argv[#argv + 1] = sys.home .. "/tests/support/echo-server.mjs"
  argv[#argv + 1] = tostring(port or 0)
  local child = assert(process.spawn { argv = argv, fds = { [0] = { hold = true }, [1] = { hold = true } } })
  local said = assert(child:read(1, 20000))
  local server = { process = child, url = "http://127.0.0.1:" .. assert(json.decode(said)).port }
  return setmetatable(server, {
    __close = function()
      child:kill "KILL"
      child:wait(5000)
      child:close()
    end,
  })
end

return M
