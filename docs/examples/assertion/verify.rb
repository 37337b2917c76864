# apt install ruby-jwt, or gem install jwt
require 'json'
require 'jwt'
require 'net/http'

# Fetched once, kept, and fetched again when a key is new.
KEYS = lambda do |options|
  @keys = nil if options[:invalidate] || options[:kid_not_found]
  @keys ||= JSON.parse(Net::HTTP.get(URI(ENV.fetch('SALLYPORT_JWKS'))), symbolize_names: true)
end

# Who sends the request, or an error: then answer 401 and nothing else.
def who_is(assertion)
  person, header = JWT.decode(
    assertion, nil, true,
    algorithms: ['ES256'], jwks: KEYS,
    iss: ENV.fetch('SALLYPORT_ISSUER'), verify_iss: true,
    aud: ENV.fetch('SALLYPORT_AUDIENCE'), verify_aud: true,
    required_claims: %w[sub iat exp]
  )
  raise JWT::DecodeError, 'not an assertion' if header['typ'] != 'sallyport-assertion+jwt'
  person
end

# In an app: who_is(request.env['HTTP_SALLYPORT_ASSERTION']). Here: one a line.
$stdin.each_line(chomp: true) do |line|
  puts "welcome #{who_is(line)['preferred_username']}"
rescue JWT::DecodeError
  puts 'refused'
end
