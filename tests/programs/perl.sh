#!/usr/bin/env bash
# perl: hashes, strings, sorting, closures, regular expressions, interpreter threads that copy
# everything, forks and pipes print what they print without the library.
# timeout: 150
source "$(dirname "$0")/support.bash"
needs perl

cat >work.pl <<'PL'
use strict;
use warnings;
use Config;
use Digest::MD5 qw(md5_hex);
use JSON::PP;
use List::Util qw(sum reduce shuffle);
use Storable qw(dclone freeze thaw);

# Hashes of hashes of lists, as they come and go.
my %words;
my $seed = 1;
sub dice { $seed = ($seed * 1103515245 + 12345) % 2147483648; $seed % $_[0] }
for my $i (1 .. 60000) {
    my $word = join '', map { chr(97 + dice(26)) } 1 .. 1 + dice(4);
    push @{ $words{ length $word }{$word} }, $i;
    delete $words{ length $word }{$word} if dice(3) == 0;
}
for my $length (sort keys %words) {
    my $of = $words{$length};
    print "$length ", scalar(keys %$of), " ", sum(map { scalar @$_ } values %$of), " ",
        md5_hex(join ',', map { "$_=@{$of->{$_}}" } sort keys %$of), "\n";
}

# Strings that grow and shrink, by every road.
my $text = '';
$text .= sprintf "%05d:%s;", $_, 'x' x ($_ % 83) for 1 .. 20000;
print length $text, " ", md5_hex($text), "\n";
(my $upper = $text) =~ s/(x+)/uc($1) . length $1/ge;
print length $upper, " ", md5_hex($upper), "\n";
my @fields = split /[:;]/, $upper;
print scalar @fields, " ", md5_hex(join "\0", sort { length $a <=> length $b || $b cmp $a } @fields), "\n";
substr($text, $_ * 3, 1) = 'abc' for 1 .. 2000;
$text = reverse $text;
$text =~ s/xxx/y/ for 1 .. 500;
print length $text, " ", md5_hex($text), "\n";
my $wide = join '', map { chr(0x100 + $_ % 5000) } 1 .. 50000;
utf8::encode(my $bytes = $wide);
print length $bytes, " ", md5_hex($bytes), "\n";
print md5_hex(join '', pack('N*', map { $_ * 7919 % 65537 } 1 .. 50000)), "\n";

# Numbers, sorted in several ways; closures; objects with destructors.
my @numbers = map { dice(1000000) / 7 } 1 .. 40000;
print join(' ', (sort { $a <=> $b } @numbers)[ 0, 100, 39999 ]), "\n";
print md5_hex(join ',', map { $_->[1] } sort { $a->[0] cmp $b->[0] } map { [ md5_hex($_), $_ ] } @numbers[ 0 .. 9999 ]), "\n";
my @adders = map { my $n = $_; sub { $n += $_[0] } } 1 .. 5000;
print sum(map { $_->(2) + $_->(3) } @adders), "\n";
my $ended = 0;
{
    package Thing;
    sub new { bless { n => $_[1], next => $_[2] }, $_[0] }
    sub DESTROY { $ended++ }
}
{
    my $chain;
    $chain = Thing->new($_, $chain) for 1 .. 20000;
    undef $chain;
}
print "$ended ended\n";

# Deep copies and texts of data.
my $json = JSON::PP->new->canonical;
my $data = { map { ("key $_" => [ $_, "value $_", { deeper => [ ($_) x ($_ % 7) ] } ]) } 1 .. 600 };
my $copy = dclone(thaw(freeze($data)));
print md5_hex($json->encode($copy)), " ", md5_hex($json->encode($json->decode($json->encode($data)))), "\n";

# Code made at run time, and errors thrown through it.
my $caught = 0;
for my $i (1 .. 2000) {
    eval "sub made { my \@list = (\$_[0]) x $i; die { count => scalar \@list } if $i % 2; \@list } made('x'); 1"
        or $caught += $@->{count};
    undef &made;
}
print "$caught caught\n";

# Processes: a pipe from a child, and its status.
for my $n (1 .. 5) {
    my $child = open(my $pipe, '-|') // die "fork: $!";
    if (!$child) {
        my %own = map { ($_ => "child $n") } 1 .. 5000;
        print scalar(keys %own), " of $n\n";
        exit $n;
    }
    print <$pipe>;
    close $pipe;
    print "status ", $? >> 8, "\n";
}

# Threads: each is a copy of the whole interpreter, which ends on its own.
if ($Config{useithreads}) {
    require threads;
    require threads::shared;
    my @results;
    for my $round (1 .. 3) {
        my @threads = map {
            my $n = $_;
            threads->create(sub {
                my %own = map { ($_ => $words{4} ? scalar keys %{ $words{4} } : 0) } 1 .. 2000 * $n;
                return md5_hex(join ',', map { "$_$own{$_}" } sort keys %own);
            });
        } 1 .. 4;
        push @results, map { $_->join } @threads;
    }
    print md5_hex("@results"), "\n";
}
PL

for mode in none "${modes[@]}"; do
  PERL_HASH_SEED=0 run "$mode" perl work.pl >"output.$mode" 2>&1 || {
    cat "output.$mode" >&2
    fail "$mode: perl failed"
  }
  [[ $mode != none ]] || continue
  same "$mode" output
  served "$mode" 6 "$pid" # and its five children
done
