# Makes Greenlight's first administrator and sets its site settings; runs in its container, from standard input of
# `rails runner -`, below a line of greenlight.py's that assigns REQUEST: the request in JSON, in base64. So its secret is
# in no command line and no environment. Answers with one line of JSON behind a mark, since Rails logs to the same place.
#
# Request: {"admin": {"name", "email", "password"} or null, "settings": {name: value}, "roomLimits": {role: value},
# "wanted": {"settings": [name], "roomLimits": [role]} for those that must exist, "write": false to tell only what there is}.
require "json"

PROVIDER = "greenlight".freeze
request = JSON.parse(REQUEST.unpack1("m").force_encoding("UTF-8"))
answer = { "before" => {}, "problems" => [] }

# Each is found before anything is written.
site = request["settings"].to_h { |name, _| [name, SiteSetting.find_by(setting: Setting.find_by(name: name), provider: PROVIDER)] }
limits = request["roomLimits"].to_h do |name, _|
  role = Role.find_by(name: name, provider: PROVIDER)
  [name, role && RolePermission.find_by(role: role, permission: Permission.find_by(name: "RoomLimit"))]
end
request["wanted"]["settings"].each do |name|
  answer["problems"] << "this version of Greenlight has no setting #{name}" if site[name].nil?
end
request["wanted"]["roomLimits"].each do |name|
  answer["problems"] << "there is no role #{name} with a limit of rooms" if limits[name].nil?
end
wanted_role = request["settings"]["DefaultRole"]
if wanted_role && Role.find_by(name: wanted_role, provider: PROVIDER).nil?
  answer["problems"] << "there is no role #{wanted_role}; there are #{Role.where(provider: PROVIDER).map(&:name).join(", ")}"
end

administrator = Role.find_by(name: "Administrator", provider: PROVIDER)
answer["problems"] << "there is no role Administrator" if administrator.nil?
if request["admin"] && administrator
  name, email, password = request["admin"].values_at("name", "email", "password")
  if User.find_by(role: administrator, provider: PROVIDER)
    answer["admin"] = User.find_by(role: administrator, provider: PROVIDER, email: email) ? "there" : "another"
  elsif User.find_by(email: email, provider: PROVIDER)
    answer["problems"] << "#{email} has an account that is no administrator's"
  elsif request["write"] && answer["problems"].empty?
    user = User.new(name: name, email: email, password: password, provider: PROVIDER, role: administrator,
                    verified: true, status: :active, language: I18n.default_locale)
    if user.save
      answer["admin"] = "made"
    else
      answer["problems"] << "the administrator's account was refused: #{user.errors.full_messages.join(", ")}"
    end
  else
    answer["admin"] = "missing"
  end
end

{ "settings" => site, "roomLimits" => limits }.each do |kind, found|
  answer["before"][kind] = found.compact.transform_values(&:value)
  next unless request["write"] && answer["problems"].empty?

  found.compact.each { |name, row| row.update!(value: request[kind][name]) if row.value != request[kind][name] }
end
puts "\nBBB_DEPLOY #{JSON.generate(answer)}"
