-- A project's revision as an entity tag. Pure.
-- SPDX-License-Identifier: Apache-2.0
local M = {}

function M.etag(doc)
  return '"' .. doc.revision .. '"'
end

-- Does the document fit an If-Match header? Weak and strong tags alike, a list of them, `*`, or no header at all.
function M.fits(doc, header)
  if not header or header == "*" then return true end
  for tag in header:gmatch "[^%s,]+" do
    if tag:gsub("^W/", "") == M.etag(doc) then return true end
  end
  return false
end

return M
