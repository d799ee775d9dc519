-- inet, cidr, macaddr and macaddr8.
SELECT '10.1.2.3'::inet, '10.1.2.3/8'::inet, '10.0.0.0/8'::cidr, '10'::cidr, '10.1'::cidr, '192.168.1'::cidr, '224'::cidr, '224.1'::cidr, '240'::cidr, '0x0a'::cidr, '0x0a1'::cidr
--> inet 869 | inet 869 | cidr 650 | cidr 650 | cidr 650 | cidr 650 | cidr 650 | cidr 650 | cidr 650 | cidr 650 | cidr 650
--> 10.1.2.3 | 10.1.2.3/8 | 10.0.0.0/8 | 10.0.0.0/8 | 10.1.0.0/16 | 192.168.1.0/24 | 224.0.0.0/4 | 224.1.0.0/16 | 240.0.0.0/32 | 10.0.0.0/8 | 10.16.0.0/16
--> SELECT 1

SELECT '::'::inet, '::1'::inet, '::2'::inet, '::1:2'::inet, '::ffff:1.2.3.4'::inet, '1::'::inet, '1:0:0:2::3'::inet, '1:2:3:4:5:6:7::'::inet, '::ff:0:0'::inet, 'FE80::1/10'::inet, '2001:db8::/32'::cidr
--> inet 869 | inet 869 | inet 869 | inet 869 | inet 869 | inet 869 | inet 869 | inet 869 | inet 869 | inet 869 | cidr 650
--> :: | ::1 | ::2 | ::0.1.0.2 | ::ffff:1.2.3.4 | 1:: | 1:0:0:2::3 | 1:2:3:4:5:6:7:0 | ::ff:0:0 | fe80::1/10 | 2001:db8::/32
--> SELECT 1

SELECT '10/8'::inet, '10.1/16'::inet, '010.001.2.3'::inet, '1.2.3.4/08'::inet
--> inet 869 | inet 869 | inet 869 | inet 869
--> 10.0.0.0/8 | 10.1.0.0/16 | 10.1.2.3 | 1.2.3.4/8
--> SELECT 1

SELECT '10.1/24'::inet
--> ERROR 22P02: invalid input syntax for type inet: "10.1/24"

SELECT '10.1.2.3/24'::cidr
--> ERROR 22P02: invalid cidr value: "10.1.2.3/24"
-->   detail: Value has bits set to right of mask.

SELECT ' 10.1.2.3'::inet
--> ERROR 22P02: invalid input syntax for type inet: " 10.1.2.3"

SELECT '1.2.3.4/33'::inet
--> ERROR 22P02: invalid input syntax for type inet: "1.2.3.4/33"

SELECT '1.2.3.4/'::inet
--> ERROR 22P02: invalid input syntax for type inet: "1.2.3.4/"

SELECT '1.2.3.256'::inet
--> ERROR 22P02: invalid input syntax for type inet: "1.2.3.256"

SELECT '1.2.3.4.5'::inet
--> ERROR 22P02: invalid input syntax for type inet: "1.2.3.4.5"

SELECT '1.2.3'::inet
--> ERROR 22P02: invalid input syntax for type inet: "1.2.3"

SELECT '1:2:3:4:5:6:7:8:9'::inet
--> ERROR 22P02: invalid input syntax for type inet: "1:2:3:4:5:6:7:8:9"

SELECT '12345::'::inet
--> ERROR 22P02: invalid input syntax for type inet: "12345::"

SELECT '::1/129'::inet
--> ERROR 22P02: invalid input syntax for type inet: "::1/129"

SELECT '::1/01'::inet
--> ERROR 22P02: invalid input syntax for type inet: "::1/01"

SELECT ''::cidr
--> ERROR 22P02: invalid input syntax for type cidr: ""

SELECT abbrev('::/0'::cidr), abbrev('2001:db8::/32'::cidr), abbrev('2001:db8:1:2::/64'::cidr), abbrev('2001::/16'::cidr), abbrev('::ffff:1.2.3.0/120'::cidr), abbrev('1:0:0:2::3/128'::cidr), abbrev('10.0.0.0/8'::cidr), abbrev('10.0.0.0/9'::cidr), abbrev('0.0.0.0/0'::cidr), abbrev('10.1.2.3/32'::inet), abbrev('10.1.2.3/8'::inet), abbrev('::/1'::cidr), abbrev('::1/128'::cidr)
--> abbrev text | abbrev text | abbrev text | abbrev text | abbrev text | abbrev text | abbrev text | abbrev text | abbrev text | abbrev text | abbrev text | abbrev text | abbrev text
--> ::/0 | 2001:db8/32 | 2001:db8:1:2/64 | 2001::/16 | ::ffff:1.2.3/120 | 1:0:0:2::3/128 | 10/8 | 10.0/9 | 0/0 | 10.1.2.3 | 10.1.2.3/8 | ::/1 | ::1/128
--> SELECT 1

SELECT a, host(a), text(a), masklen(a), family(a), network(a), netmask(a), broadcast(a), hostmask(a) FROM (VALUES ('192.168.1.5/24'::inet), ('10.1.2.3'), ('::1'), ('2001:db8::1/33'), ('0.0.0.0/0')) t(a)
--> a 869 | host text | text text | masklen int4 | family int4 | network 650 | netmask 869 | broadcast 869 | hostmask 869
--> 192.168.1.5/24 | 192.168.1.5 | 192.168.1.5/24 | 24 | 4 | 192.168.1.0/24 | 255.255.255.0 | 192.168.1.255/24 | 0.0.0.255
--> 10.1.2.3 | 10.1.2.3 | 10.1.2.3/32 | 32 | 4 | 10.1.2.3/32 | 255.255.255.255 | 10.1.2.3 | 0.0.0.0
--> ::1 | ::1 | ::1/128 | 128 | 6 | ::1/128 | ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff | ::1 | ::
--> 2001:db8::1/33 | 2001:db8::1 | 2001:db8::1/33 | 33 | 6 | 2001:db8::/33 | ffff:ffff:8000:: | 2001:db8:7fff:ffff:ffff:ffff:ffff:ffff/33 | ::7fff:ffff:ffff:ffff:ffff:ffff
--> 0.0.0.0/0 | 0.0.0.0 | 0.0.0.0/0 | 0 | 4 | 0.0.0.0/0 | 0.0.0.0 | 255.255.255.255/0 | 255.255.255.255
--> SELECT 5

SELECT set_masklen('192.168.1.5/24'::inet, 16), set_masklen('192.168.1.0/24'::cidr, 16), set_masklen('192.168.1.0/24'::inet, -1), set_masklen('::1'::inet, 0)
--> set_masklen 869 | set_masklen 650 | set_masklen 869 | set_masklen 869
--> 192.168.1.5/16 | 192.168.0.0/16 | 192.168.1.0 | ::1/0
--> SELECT 1

SELECT set_masklen('1.2.3.4'::inet, 33)
--> ERROR 22023: invalid mask length: 33

SELECT set_masklen('1.2.3.4'::inet, -2)
--> ERROR 22023: invalid mask length: -2

SELECT inet_same_family('1.2.3.4', '::1'), inet_same_family('1.2.3.4', '4.3.2.1/8'), inet_merge('192.168.1.5/24', '192.168.2.5/24'), inet_merge('10.1.2.3', '10.1.2.3'), inet_merge('::1', '::ffff')
--> inet_same_family bool | inet_same_family bool | inet_merge 650 | inet_merge 650 | inet_merge 650
--> f | t | 192.168.0.0/22 | 10.1.2.3/32 | ::/112
--> SELECT 1

SELECT inet_merge('1.2.3.4', '::1')
--> ERROR 22023: cannot merge addresses from different families

SELECT '192.168.1.5'::inet << '192.168.1/24'::inet, '192.168.1/24'::inet <<= '192.168.1.7/24', '192.168.1/24'::inet << '192.168.1.7/24', '192.168.1/24'::inet >> '192.168.1.5', '192.168.1/24'::inet >>= '192.168.1/24', '192.168.1/24'::inet && '192.168.1.80/28', '192.168.1/24'::inet && '192.168.2.80/28', '0.0.0.0/0'::inet >> '::1', '0/0'::cidr >>= '10/8'::cidr
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool
--> t | t | f | t | t | t | f | f | t
--> SELECT 1

SELECT ~ '192.168.1.6'::inet, ~ '::1/64'::inet, '192.168.1.6'::inet & '0.0.0.255'::inet, '192.168.1.6/16'::inet | '0.0.0.255/24'::inet, '192.168.1.6'::inet + 25, 25 + '192.168.1.6/8'::inet, '192.168.1.43'::inet - 36, '192.168.1.43'::inet - '192.168.1.19'::inet, '::1'::inet - '::ffff'::inet, '::1'::inet + (-1)
--> ?column? 869 | ?column? 869 | ?column? 869 | ?column? 869 | ?column? 869 | ?column? 869 | ?column? 869 | ?column? int8 | ?column? int8 | ?column? 869
--> 63.87.254.249 | ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/64 | 0.0.0.6 | 192.168.1.255/24 | 192.168.1.31 | 192.168.1.31/8 | 192.168.1.7 | 24 | -65534 | ::
--> SELECT 1

SELECT '1.2.3.4'::inet & '::1'
--> ERROR 22023: cannot AND inet values of different sizes

SELECT '1.2.3.4'::inet | '::1'
--> ERROR 22023: cannot OR inet values of different sizes

SELECT '1.2.3.4'::inet - '::1'::inet
--> ERROR 22023: cannot subtract inet values of different sizes

SELECT '10.0.0.1'::inet + 4294967295
--> ERROR 22003: result is out of range

SELECT '::1'::inet - 2
--> ERROR 22003: result is out of range

SELECT 'ffff::'::inet - '::1'::inet
--> ERROR 22003: result is out of range

SELECT '10.1.2.3'::inet::cidr, '10.1.2.3/8'::inet::cidr, cidr('10.1.2.3/8'::inet), '10.0.0.0/8'::cidr::inet, '10.1.2.3'::inet::text, '10.0.0.0/8'::cidr::text, '10.1.2.3'::inet::varchar, '10.1.2.3'::inet::varchar(3), '1.2.3.4'::text::inet, '10/8'::varchar::cidr, inet '1.2.3.4', 'a ' || '1.2.3.4'::inet, concat('1.2.3.4'::inet), format('%s', '1.2.3.4'::inet)
--> cidr 650 | cidr 650 | cidr 650 | inet 869 | text text | text text | varchar varchar | varchar varchar | inet 869 | cidr 650 | inet 869 | ?column? text | concat text | format text
--> 10.1.2.3/32 | 10.0.0.0/8 | 10.0.0.0/8 | 10.0.0.0/8 | 10.1.2.3/32 | 10.0.0.0/8 | 10.1.2.3/32 | 10. | 1.2.3.4 | 10.0.0.0/8 | 1.2.3.4 | a 1.2.3.4/32 | 1.2.3.4 | 1.2.3.4
--> SELECT 1

SELECT 1::inet
--> ERROR 42846: cannot cast type integer to inet

SELECT '1.2.3.4'::inet::int
--> ERROR 42846: cannot cast type inet to integer

SELECT '1.2.3.4'::inet = '1.2.3.4', '10.0.0.0/8'::inet = '10.0.0.0/8'::cidr, '10.0.0.0/8'::inet < '10.0.0.0/9', '10.0.0.1/8'::inet > '10.0.0.0/8', '10.0.0.1'::inet <> '10.0.0.1/24', '255.255.255.255'::inet < '::', network_cmp('1.1.1.1', '1.1.1.2'), '1.2.3.4'::inet IN ('1.2.3.5', '1.2.3.4'), '1.2.3.4'::inet BETWEEN '1.2.3.0' AND '1.2.3.9', '10.0.0.0/8'::cidr = ANY (ARRAY['10.0.0.0/8'::inet])
--> ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | ?column? bool | network_cmp int4 | ?column? bool | ?column? bool | ?column? bool
--> t | t | t | t | t | t | -1 | t | t | t
--> SELECT 1

SELECT array_agg(a ORDER BY a), min(a), max(a), count(DISTINCT a) FROM (VALUES ('10.0.0.1'::inet), ('::1'), ('10.0.0.0/8'), ('10.0.0.1/32'), ('9.255.255.255'), ('10.0.0.0/9'), ('10.1.0.0/8'), ('2.0.0.0/8')) t(a)
--> array_agg 1041 | min 869 | max 869 | count int8
--> {2.0.0.0/8,9.255.255.255,10.0.0.0/8,10.1.0.0/8,10.0.0.0/9,10.0.0.1,10.0.0.1,::1} | 2.0.0.0/8 | ::1 | 7
--> SELECT 1

SELECT max(a), pg_typeof(max(a)) FROM (VALUES ('10.0.0.0/8'::cidr), ('10.1.0.0/16')) t(a)
--> max 869 | pg_typeof regtype
--> 10.1.0.0/16 | inet
--> SELECT 1

SELECT greatest('10.0.0.1'::inet, '9.0.0.1'), least('10.0.0.0/8'::cidr, '9.0.0.0/8'), coalesce(NULL, '1.2.3.4'::inet), CASE WHEN true THEN '10/8'::cidr ELSE '1.2.3.4'::inet END, nullif('1.2.3.4'::inet, '1.2.3.4')
--> greatest 869 | least 650 | coalesce 869 | case 869 | nullif 869
--> 10.0.0.1 | 9.0.0.0/8 | 1.2.3.4 | 10.0.0.0/8 | ∅
--> SELECT 1

CREATE TABLE net_hosts (id int PRIMARY KEY, addr inet UNIQUE, net cidr, mac macaddr, mac8 macaddr8, more inet[] DEFAULT '{}')
--> CREATE TABLE

CREATE INDEX net_by_net ON net_hosts (net)
--> CREATE INDEX

INSERT INTO net_hosts VALUES (1, '10.0.0.1', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '{1.2.3.4,10.0.0.0/8,NULL}'), (2, '10.0.0.1/24', '10.1.0.0/16', '08002b:010204', '08:00:2b:01:02:03', ARRAY['::1'::inet]), (3, '::1', '::/0', NULL, NULL, NULL), (4, '9.0.0.1/8', '10.0.0.0/8', 'ff:ff:ff:ff:ff:ff', 'ff:ff:ff:ff:ff:ff:ff:ff', '{}') RETURNING *
--> id int4 | addr 869 | net 650 | mac 829 | mac8 774 | more 1041
--> 1 | 10.0.0.1 | 10.0.0.0/8 | 08:00:2b:01:02:03 | 08:00:2b:01:02:03:04:05 | {1.2.3.4,10.0.0.0/8,NULL}
--> 2 | 10.0.0.1/24 | 10.1.0.0/16 | 08:00:2b:01:02:04 | 08:00:2b:ff:fe:01:02:03 | {::1}
--> 3 | ::1 | ::/0 | ∅ | ∅ | ∅
--> 4 | 9.0.0.1/8 | 10.0.0.0/8 | ff:ff:ff:ff:ff:ff | ff:ff:ff:ff:ff:ff:ff:ff | {}
--> INSERT 0 4

INSERT INTO net_hosts (id, addr) VALUES (5, '10.0.0.1/32')
--> ERROR 23505: duplicate key value violates unique constraint "net_hosts_addr_key"
-->   detail: Key (addr)=(10.0.0.1) already exists.
-->   table: net_hosts
-->   constraint: net_hosts_addr_key

INSERT INTO net_hosts (id, net) VALUES (5, '10.0.0.1/8')
--> ERROR 22P02: invalid cidr value: "10.0.0.1/8"
-->   detail: Value has bits set to right of mask.

INSERT INTO net_hosts (id, net) VALUES (5, '10.0.0.1/8'::inet) RETURNING net
--> net 650
--> 10.0.0.0/8
--> INSERT 0 1

INSERT INTO net_hosts (id, addr) VALUES (6, 'nowhere')
--> ERROR 22P02: invalid input syntax for type inet: "nowhere"

SELECT id, addr FROM net_hosts ORDER BY addr NULLS FIRST
--> id int4 | addr 869
--> 5 | ∅
--> 4 | 9.0.0.1/8
--> 2 | 10.0.0.1/24
--> 1 | 10.0.0.1
--> 3 | ::1
--> SELECT 5

SELECT id, addr FROM net_hosts WHERE addr << '10.0.0.0/8' ORDER BY addr DESC
--> id int4 | addr 869
--> 1 | 10.0.0.1
--> 2 | 10.0.0.1/24
--> SELECT 2

SELECT id FROM net_hosts WHERE addr = '10.0.0.1' OR '::1' = addr ORDER BY id
--> id int4
--> 1
--> 3
--> SELECT 2

SELECT net, count(*), array_agg(id ORDER BY id) FROM net_hosts GROUP BY net ORDER BY net
--> net 650 | count int8 | array_agg int4[]
--> 10.0.0.0/8 | 3 | {1,4,5}
--> 10.1.0.0/16 | 1 | {2}
--> ::/0 | 1 | {3}
--> SELECT 3

SELECT DISTINCT net FROM net_hosts ORDER BY net DESC
--> net 650
--> ::/0
--> 10.1.0.0/16
--> 10.0.0.0/8
--> SELECT 3

SELECT a.id, b.id FROM net_hosts a JOIN net_hosts b ON a.addr <<= b.net ORDER BY 1, 2
--> id int4 | id int4
--> 1 | 1
--> 1 | 4
--> 1 | 5
--> 2 | 1
--> 2 | 4
--> 2 | 5
--> 3 | 3
--> SELECT 7

SELECT addr FROM net_hosts WHERE addr IS NOT NULL UNION SELECT net FROM net_hosts ORDER BY 1
--> addr 869
--> 9.0.0.1/8
--> 10.0.0.0/8
--> 10.0.0.1/24
--> 10.0.0.1
--> 10.1.0.0/16
--> ::/0
--> ::1
--> SELECT 7

SELECT id, rank() OVER (ORDER BY net), first_value(addr) OVER (PARTITION BY net ORDER BY addr) FROM net_hosts ORDER BY id
--> id int4 | rank int8 | first_value 869
--> 1 | 1 | 9.0.0.1/8
--> 2 | 4 | 10.0.0.1/24
--> 3 | 5 | ::1
--> 4 | 1 | 9.0.0.1/8
--> 5 | 1 | 9.0.0.1/8
--> SELECT 5

SELECT more, more[1], '10.0.0.0/8' = ANY (more), array_length(more, 1), unnest(more) FROM net_hosts WHERE id < 3
--> more 1041 | more 869 | ?column? bool | array_length int4 | unnest 869
--> {1.2.3.4,10.0.0.0/8,NULL} | 1.2.3.4 | t | 3 | 1.2.3.4
--> {1.2.3.4,10.0.0.0/8,NULL} | 1.2.3.4 | t | 3 | 10.0.0.0/8
--> {1.2.3.4,10.0.0.0/8,NULL} | 1.2.3.4 | t | 3 | ∅
--> {::1} | ::1 | f | 1 | ::1
--> SELECT 4

SELECT to_json(addr), to_jsonb(net), to_json(mac), row_to_json(t) FROM (SELECT addr, net, mac FROM net_hosts WHERE id = 1) t
--> to_json json | to_jsonb jsonb | to_json json | row_to_json json
--> "10.0.0.1" | "10.0.0.0/8" | "08:00:2b:01:02:03" | {"addr":"10.0.0.1","net":"10.0.0.0/8","mac":"08:00:2b:01:02:03"}
--> SELECT 1

UPDATE net_hosts SET addr = addr + 1, mac = trunc(mac), mac8 = mac WHERE id < 3 RETURNING id, addr, mac, mac8
--> id int4 | addr 869 | mac 829 | mac8 774
--> 1 | 10.0.0.2 | 08:00:2b:00:00:00 | 08:00:2b:ff:fe:01:02:03
--> 2 | 10.0.0.2/24 | 08:00:2b:00:00:00 | 08:00:2b:ff:fe:01:02:04
--> UPDATE 2

DELETE FROM net_hosts WHERE addr = '::1' RETURNING addr, net
--> addr 869 | net 650
--> ::1 | ::/0
--> DELETE 1

COPY (SELECT * FROM net_hosts ORDER BY id) TO STDOUT
--> 1	10.0.0.2	10.0.0.0/8	08:00:2b:00:00:00	08:00:2b:ff:fe:01:02:03	{1.2.3.4,10.0.0.0/8,NULL}
--> 2	10.0.0.2/24	10.1.0.0/16	08:00:2b:00:00:00	08:00:2b:ff:fe:01:02:04	{::1}
--> 4	9.0.0.1/8	10.0.0.0/8	ff:ff:ff:ff:ff:ff	ff:ff:ff:ff:ff:ff:ff:ff	{}
--> 5	\N	10.0.0.0/8	\N	\N	{}
--> COPY 4

COPY net_hosts FROM STDIN
--< 7	1.2.3.4/8	1.2.3.0/24	08:00:2b:01:02:03	\N	{1.2.3.4}
--> COPY 1

COPY net_hosts FROM STDIN
--< 8	1.2.3.4/8	1.2.3.4/24	08:00:2b:01:02:03	\N	{1.2.3.4}
--> ERROR 22P02: invalid cidr value: "1.2.3.4/24"
-->   detail: Value has bits set to right of mask.

SELECT * FROM net_hosts WHERE id = 7
--> id int4 | addr 869 | net 650 | mac 829 | mac8 774 | more 1041
--> 7 | 1.2.3.4/8 | 1.2.3.0/24 | 08:00:2b:01:02:03 | ∅ | {1.2.3.4}
--> SELECT 1

BEGIN
--> BEGIN

DECLARE net_c CURSOR FOR SELECT addr, net, mac FROM net_hosts ORDER BY id
--> DECLARE CURSOR

FETCH 2 FROM net_c
--> addr 869 | net 650 | mac 829
--> 10.0.0.2 | 10.0.0.0/8 | 08:00:2b:00:00:00
--> 10.0.0.2/24 | 10.1.0.0/16 | 08:00:2b:00:00:00
--> FETCH 2

COMMIT
--> COMMIT

ALTER TABLE net_hosts ALTER COLUMN addr TYPE text
--> ALTER TABLE

SELECT addr FROM net_hosts ORDER BY id
--> addr text
--> 10.0.0.2/32
--> 10.0.0.2/24
--> 9.0.0.1/8
--> ∅
--> 1.2.3.4/8
--> SELECT 5

ALTER TABLE net_hosts ALTER COLUMN addr TYPE inet
--> ERROR 42804: column "addr" cannot be cast automatically to type inet

ALTER TABLE net_hosts ALTER COLUMN addr TYPE inet USING addr::inet, ALTER COLUMN mac SET DEFAULT '08:00:2b:01:02:03', ADD CHECK (addr >> '10.0.0.1' OR id > 0)
--> ALTER TABLE

SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'net_hosts'::regclass ORDER BY adnum
--> pg_get_expr text
--> '08:00:2b:01:02:03'::macaddr
--> '{}'::inet[]
--> SELECT 2

SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'net_hosts'::regclass AND contype = 'c'
--> pg_get_constraintdef text
--> CHECK (((addr >> '10.0.0.1'::inet) OR (id > 0)))
--> SELECT 1

PREPARE net_p AS SELECT $1::inet << $2::cidr, $3::macaddr
--> PREPARE

EXECUTE net_p('10.0.0.1', '10/8', '08002b010203')
--> ?column? bool | macaddr 829
--> t | 08:00:2b:01:02:03
--> SELECT 1

DEALLOCATE net_p
--> DEALLOCATE

DROP TABLE net_hosts
--> DROP TABLE

SELECT '08:00:2b:01:02:03'::macaddr, '08-00-2b-01-02-03'::macaddr, '08002b:010203'::macaddr, '08002b-010203'::macaddr, '0800.2b01.0203'::macaddr, '0800-2b01-0203'::macaddr, '08002b010203'::macaddr, ' 8:0:2B:1:2:3 '::macaddr
--> macaddr 829 | macaddr 829 | macaddr 829 | macaddr 829 | macaddr 829 | macaddr 829 | macaddr 829 | macaddr 829
--> 08:00:2b:01:02:03 | 08:00:2b:01:02:03 | 08:00:2b:01:02:03 | 08:00:2b:01:02:03 | 08:00:2b:01:02:03 | 08:00:2b:01:02:03 | 08:00:2b:01:02:03 | 08:00:2b:01:02:03
--> SELECT 1

SELECT '108:00:2b:01:02:03'::macaddr
--> ERROR 22003: invalid octet value in "macaddr" value: "108:00:2b:01:02:03"

SELECT '08:00:2b:01:02'::macaddr
--> ERROR 22P02: invalid input syntax for type macaddr: "08:00:2b:01:02"

SELECT '08:00-2b:01:02:03'::macaddr
--> ERROR 22P02: invalid input syntax for type macaddr: "08:00-2b:01:02:03"

SELECT '08:00:2b:01:02:03:04:05'::macaddr8, '08:00:2b:01:02:03'::macaddr8, '08002b:0102030405'::macaddr8, '0800.2b01.0203.0405'::macaddr8, ' 08002b0102030405 '::macaddr8, '08:00:2b:ff:fe:01:02:03'::macaddr8::macaddr
--> macaddr8 774 | macaddr8 774 | macaddr8 774 | macaddr8 774 | macaddr8 774 | macaddr 829
--> 08:00:2b:01:02:03:04:05 | 08:00:2b:ff:fe:01:02:03 | 08:00:2b:01:02:03:04:05 | 08:00:2b:01:02:03:04:05 | 08:00:2b:01:02:03:04:05 | 08:00:2b:01:02:03
--> SELECT 1

SELECT '08:00:2b:01:02:03:04:05'::macaddr8::macaddr
--> ERROR 22003: macaddr8 data out of range to convert to macaddr

SELECT '08:00-2b:01:02:03:04:05'::macaddr8
--> ERROR 22P02: invalid input syntax for type macaddr8: "08:00-2b:01:02:03:04:05"

SELECT macaddr8_set7bit('00:34:56:ab:cd:ef'), trunc(macaddr8 '12:34:56:78:90:ab:cd:ef'), trunc(macaddr '12:34:56:78:90:ab'), ~ macaddr '12:34:56:78:90:ab', macaddr '12:34:56:78:90:ab' & '0f:0f:0f:0f:0f:0f', macaddr '12:34:56:78:90:ab' | 'f0:f0:f0:f0:f0:f0', ~ macaddr8 '12:34:56:78:90:ab'
--> macaddr8_set7bit 774 | trunc 774 | trunc 829 | ?column? 829 | ?column? 829 | ?column? 829 | ?column? 774
--> 02:34:56:ff:fe:ab:cd:ef | 12:34:56:00:00:00:00:00 | 12:34:56:00:00:00 | ed:cb:a9:87:6f:54 | 02:04:06:08:00:0b | f2:f4:f6:f8:f0:fb | ed:cb:a9:00:01:87:6f:54
--> SELECT 1

SELECT macaddr '08:00:2b:01:02:03' < '08:00:2b:01:02:04', macaddr '08:00:2b:01:02:03' = '08002b010203', macaddr_cmp('08:00:2b:01:02:03', '08:00:2b:01:02:03')
--> ?column? bool | ?column? bool | macaddr_cmp int4
--> t | t | 0
--> SELECT 1

SELECT macaddr '08:00:2b:01:02:03' > macaddr8 '08:00:2b:01:02:03'
--> ERROR 42725: operator is not unique: macaddr > macaddr8

SELECT min(a) FROM (VALUES ('08:00:2b:01:02:03'::macaddr)) t(a)
--> ERROR 42883: function min(macaddr) does not exist

SELECT array_agg(a ORDER BY a), count(DISTINCT a) FROM (VALUES ('ff:00:00:00:00:00'::macaddr), ('08:00:2b:01:02:03'), ('08002b010203'), (NULL)) t(a)
--> array_agg 1040 | count int8
--> {08:00:2b:01:02:03,08:00:2b:01:02:03,ff:00:00:00:00:00,NULL} | 2
--> SELECT 1

SELECT typname, typlen, typcategory, typispreferred, typarray::regtype FROM pg_type WHERE typname IN ('inet', 'cidr', 'macaddr', 'macaddr8') ORDER BY 1
--> typname name | typlen int2 | typcategory char1 | typispreferred bool | typarray regtype
--> cidr | -1 | I | f | cidr[]
--> inet | -1 | I | t | inet[]
--> macaddr | 6 | U | f | macaddr[]
--> macaddr8 | 8 | U | f | macaddr8[]
--> SELECT 4

SELECT oprname, oprleft::regtype, oprright::regtype, oprresult::regtype FROM pg_operator WHERE oprleft = 'inet'::regtype ORDER BY 1, 2, 3, 4
--> oprname name | oprleft regtype | oprright regtype | oprresult regtype
--> & | inet | inet | inet
--> && | inet | inet | boolean
--> + | inet | bigint | inet
--> - | inet | bigint | inet
--> - | inet | inet | bigint
--> < | inet | inet | boolean
--> << | inet | inet | boolean
--> <<= | inet | inet | boolean
--> <= | inet | inet | boolean
--> <> | inet | inet | boolean
--> = | inet | inet | boolean
--> > | inet | inet | boolean
--> >= | inet | inet | boolean
--> >> | inet | inet | boolean
--> >>= | inet | inet | boolean
--> | | inet | inet | inet
--> SELECT 16

SELECT castsource::regtype, casttarget::regtype, castcontext, castmethod FROM pg_cast WHERE castsource IN ('cidr'::regtype, 'macaddr'::regtype) OR casttarget IN ('cidr'::regtype, 'macaddr'::regtype) ORDER BY castsource::regtype::text, casttarget::regtype::text
--> castsource regtype | casttarget regtype | castcontext char1 | castmethod char1
--> cidr | character | a | f
--> cidr | character varying | a | f
--> cidr | inet | i | b
--> cidr | text | a | f
--> inet | cidr | a | f
--> macaddr | macaddr8 | i | f
--> macaddr8 | macaddr | i | f
--> SELECT 7

SELECT inet_client_addr() IS NOT NULL, host(inet_client_addr()), family(inet_server_addr()), inet_client_port() > 0, inet_server_port() > 0, inet_client_addr() = (SELECT client_addr FROM pg_stat_activity WHERE pid = pg_backend_pid())
--> ?column? bool | host text | family int4 | ?column? bool | ?column? bool | ?column? bool
--> t | 127.0.0.1 | 4 | t | t | t
--> SELECT 1
