-- What pgcrypto is asked for most, and what draws from a seed.
CREATE EXTENSION IF NOT EXISTS pgcrypto
--> CREATE EXTENSION

SELECT encode(digest('abc', 'md5'), 'hex'), encode(digest('abc', 'sha1'), 'hex'), encode(digest('abc'::bytea, 'SHA256'), 'hex'), encode(digest('', 'sha224'), 'hex')
--> encode text | encode text | encode text | encode text
--> 900150983cd24fb0d6963f7d28e17f72 | a9993e364706816aba3e25717850c26c9cd0d89d | ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad | d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f
--> SELECT 1

SELECT encode(digest('abc', 'sha384'), 'hex'), encode(digest('abc', 'sha512'), 'hex')
--> encode text | encode text
--> cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7 | ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f
--> SELECT 1

SELECT encode(hmac('data', 'key', 'md5'), 'hex'), encode(hmac('data', 'key', 'sha1'), 'hex'), encode(hmac('data'::bytea, 'key'::bytea, 'sha256'), 'hex'), encode(hmac('data', repeat('key', 50), 'sha512'), 'hex')
--> encode text | encode text | encode text | encode text
--> 9d5c73ef85594d34ec4438b7c97e51d8 | 104152c5bfdca07bc633eebd46199f0255c9f49d | 5031fe3d989c6d1537a013fa6e739da23463fdaec3b70137d828e36ace221bd0 | ee83bdf63ed0dd80334d451ec2575fcb6321c7cd1032f1e7bbcd7c2573ed4780935b97be136ee7e364b0a1cee2e82416b8a402e8c8ac504fafdfd1e30e268d71
--> SELECT 1

SELECT digest('abc', 'nosuch')
--> ERROR 22023: Cannot use "nosuch": No such hash algorithm

SELECT hmac('abc', 'k', 'nosuch')
--> ERROR 22023: Cannot use "nosuch": No such hash algorithm

SELECT length(gen_random_bytes(16)), length(gen_random_bytes(3)), gen_random_bytes(8) = gen_random_bytes(8)
--> length int4 | length int4 | ?column? bool
--> 16 | 3 | f
--> SELECT 1

SELECT gen_random_bytes(0)
--> ERROR 39000: Length not in range

SELECT gen_random_bytes(1025)
--> ERROR 39000: Length not in range

SELECT digest(NULL::text, 'md5') IS NULL
--> ?column? bool
--> t
--> SELECT 1
