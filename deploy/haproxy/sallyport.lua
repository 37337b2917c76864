-- Sallyport for HAProxy 2.5 and newer: asks Sallyport about a request and answers the client when
-- the answer is no. Needs nothing but HAProxy's own HTTP client. Use it as
-- `sallyport snippet haproxy` prints it:
--
--   global
--     lua-load /etc/haproxy/sallyport.lua
--   backend app
--     http-request lua.sallyport 127.0.0.1:9091
--     http-request deny deny_status 503 unless { var(txn.sallyport) -m str allow } …
--
-- SECURITY: HAProxy goes on with the request when a Lua action fails or takes too long. The `deny`
-- behind the action is what closes the door then; never leave it out.
--
-- Sets: txn.sallyport = "allow", and a variable for each header of the answer, Remote-User as
-- txn.sallyport_remote_user. Takes Sallyport's cookies out of the request.

local CHECK = "/.sallyport/check/haproxy"
-- Larger ones do not fit into HAProxy's buffer together with their headers; ours are smaller.
local MAX_BODY = 12 * 1024

-- What tells a page from a program, and who is asking. Nothing else of the client is passed on.
local COPIED = {
  "cookie", "authorization", "accept", "accept-language", "user-agent", "origin",
  "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-user", "x-requested-with",
  "access-control-request-method", "access-control-request-headers",
}

-- Headers of an answer that belong to its connection, or that HAProxy writes itself.
local OWN = {
  ["connection"] = true, ["keep-alive"] = true, ["transfer-encoding"] = true,
  ["content-length"] = true, ["date"] = true, ["upgrade"] = true, ["trailer"] = true,
}

-- Values of one header in order; HAProxy counts them from 0 or 1.
local function list(values)
  local all = {}
  if values == nil then return all end
  if values[0] ~= nil then all[1] = values[0] end
  for _, value in ipairs(values) do all[#all + 1] = value end
  return all
end

-- Path and query as the client sent them. HTTP/2 knows no other form; in HTTP/1 any other form
-- (RFC 9112 3.2.2) is passed on as it is, and refused by Sallyport.
local function target(txn)
  local url = txn.sf:url()
  if url:sub(1, 1) ~= "/" and txn.sf:req_ver():sub(1, 1) ~= "1" then return txn.sf:pathq() end
  return url
end

local function question(txn, headers)
  local asked = {
    ["x-forwarded-method"] = { txn.sf:method() },
    ["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" },
    -- A repeated Host stays repeated: Sallyport refuses it.
    ["x-forwarded-host"] = list(headers["host"]),
    ["x-forwarded-uri"] = { target(txn) },
    ["x-forwarded-for"] = { txn.sf:src() },
  }
  local upgrade = table.concat(list(headers["upgrade"]), ", ")
  if upgrade ~= "" then asked["x-forwarded-upgrade"] = { upgrade } end
  for _, name in ipairs(COPIED) do
    if headers[name] ~= nil then asked[name] = list(headers[name]) end
  end
  return asked
end

local function refuse(txn, status, headers, body)
  txn:done(txn:reply({ status = status, headers = headers, body = body }))
end

local function unavailable(txn)
  refuse(txn, 503, {
    ["content-type"] = { "text/plain; charset=utf-8" },
    ["cache-control"] = { "no-store" },
    ["retry-after"] = { "5" },
  }, "Sign-in is not available at the moment.\n")
end

local function show(txn, answer)
  local headers = {}
  for name, values in pairs(answer.headers or {}) do
    if not OWN[name:lower()] then headers[name] = list(values) end
  end
  local body = answer.body or ""
  if #body > MAX_BODY then return unavailable(txn) end
  if txn.sf:method() == "HEAD" then body = "" end
  refuse(txn, answer.status, headers, body)
end

-- The session's, the device's, a form's and the language's, however they are bound.
local function is_own_cookie(name)
  local base = name:lower():gsub("^__host%-", ""):gsub("^__secure%-", "")
  return base == "sallyport" or base:match("^sallyport%-%a+$") ~= nil
end

local function without_own_cookies(value)
  local kept = {}
  for pair in value:gmatch("[^;]+") do
    local name = pair:match("^%s*([^=]-)%s*=") or ""
    if not is_own_cookie(name) then kept[#kept + 1] = pair:match("^%s*(.-)%s*$") end
  end
  return table.concat(kept, "; ")
end

local function pass(txn, answer, headers)
  for name, values in pairs(answer.headers or {}) do
    local header = name:lower()
    if not OWN[header] and header:match("^[a-z0-9-]+$") then
      txn:set_var("txn.sallyport_" .. header:gsub("-", "_"), table.concat(list(values), ","))
    end
  end
  local cookies = list(headers["cookie"])
  if #cookies > 0 then
    txn.http:req_del_header("cookie")
    for _, value in ipairs(cookies) do
      local rest = without_own_cookies(value)
      if rest ~= "" then txn.http:req_add_header("cookie", rest) end
    end
  end
  txn:set_var("txn.sallyport", "allow")
end

-- address: host:port of Sallyport
core.register_action("sallyport", { "http-req" }, function(txn, address)
  txn:set_var("txn.sallyport", "deny")
  local headers = txn.http:req_get_headers()
  local answer = core.httpclient():get({
    url = "http://" .. address .. CHECK,
    headers = question(txn, headers),
  })
  if answer == nil or answer.status == nil or answer.status == 0 then return unavailable(txn) end
  -- Sallyport lets in with an empty 200; whoever else answers at that address is not Sallyport.
  if answer.status == 200 and (answer.body or "") == "" then return pass(txn, answer, headers) end
  if answer.status <= 200 then return unavailable(txn) end
  show(txn, answer)
end, 1)
