-- Each request posts another comment from another address; the proxy's header is believed by setting.
local number, thread = 0, 0
local threads = 0
function setup(t) t:set("thread_id", threads); threads = threads + 1 end
function init(arguments)
  token = arguments[1]
  run = arguments[2]
  headers = { ["Content-Type"] = "application/x-www-form-urlencoded" }
end
function request()
  number = number + 1
  local mark = run .. "-" .. thread_id .. "-" .. number
  headers["X-Forwarded-For"] = string.format("10.%d.%d.%d", (number / 65536) % 250, (number / 256) % 256, number % 256)
  local body = "author=Reader&email=r" .. mark .. "%40example.org&url=&parent=&subject=&token=" .. token ..
    "&body=I+would+say+it+like+this+number+" .. mark .. "+because+silence+is+an+answer+as+well."
  return wrk.format("POST", nil, headers, body)
end
function response(status)
  if status ~= 303 then io.stderr:write(status .. "\n") end
end
