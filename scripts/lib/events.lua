-- What the event streams carry: each event goes to the project's topic, to its user's and to `all`.
--
-- Called after the store has what the event says. Nothing here reads or writes the store.
-- SPDX-License-Identifier: Apache-2.0
local bus = require "gander.bus"
local date = require "gander.date"
local sys = require "gander.sys"
local view = require "lib.view"

local M = {}

local function publish(project_id, user_id, event, value)
  bus.publish("project:" .. project_id, event, value)
  bus.publish("user:" .. user_id, event, value)
  bus.publish("all", event, value)
end

-- The project's document, as the API shows it.
function M.project(doc)
  publish(doc._id, doc.user_id, "project", view.project(doc))
end

function M.deleted(doc)
  publish(doc._id, doc.user_id, "project_deleted", { id = doc._id, user_id = doc.user_id })
end

-- A row of Activity (view.activity), of a project's document.
function M.activity(doc, row)
  publish(doc._id, doc.user_id, "activity", row)
end

-- A Session as the API shows it; `user_id` is its project's.
function M.session(session, user_id)
  publish(session.project_id, user_id, "session", session)
end

-- What concerns the host, for streams of all users and of one.
local function publish_host(event, value)
  bus.publish("host", event, value)
  bus.publish("all", event, value)
end

function M.script(value)
  publish_host("script", value)
end

-- Something an operator should see: {kind, text, project_id?, policy?, file?, line?}.
function M.alert(value)
  value.at = value.at or date(sys.now())
  publish_host("alert", value)
end

return M
