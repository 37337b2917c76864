# apt install libcrypt-jwt-perl, or cpanm Crypt::JWT
use strict;
use warnings;
use Crypt::JWT qw(decode_jwt);
use HTTP::Tiny;

my $keys;

# Fetched once, kept, and fetched again when a key is new.
sub keys_with {
    my ($kid) = @_;
    return $keys if defined $keys && index($keys, qq("$kid")) >= 0;
    my $answer = HTTP::Tiny->new->get($ENV{SALLYPORT_JWKS});
    die "no keys\n" unless $answer->{success};
    return $keys = $answer->{content};
}

# Who sends the request, or an exception: then answer 401 and nothing else.
sub who_is {
    my ($assertion) = @_;
    my ($header) = decode_jwt(token => $assertion, ignore_signature => 1, decode_header => 1);
    die "not an assertion\n" if ($header->{typ} // '') ne 'sallyport-assertion+jwt';
    return decode_jwt(
        token        => $assertion,
        kid_keys     => keys_with($header->{kid} // ''),
        accepted_alg => 'ES256',
        verify_iss   => sub { $_[0] eq $ENV{SALLYPORT_ISSUER} },
        verify_aud   => sub { $_[0] eq $ENV{SALLYPORT_AUDIENCE} },
        verify_iat   => 1,
        verify_exp   => 1,
        leeway       => 5, # seconds that clocks may be apart
    );
}

# In an app: who_is($request->header('Sallyport-Assertion')). Here: one a line.
while (my $line = <STDIN>) {
    chomp $line;
    my $person = eval { who_is($line) };
    print $person ? "welcome $person->{preferred_username}\n" : "refused\n";
}
