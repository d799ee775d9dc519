-- A small shop, from its first migration to its reports.
CREATE TABLE shop_customers (id bigserial PRIMARY KEY, email text NOT NULL UNIQUE, data jsonb NOT NULL DEFAULT '{}', created_at timestamptz NOT NULL DEFAULT now())
--> CREATE TABLE

CREATE TABLE shop_products (sku text PRIMARY KEY, title text NOT NULL, price numeric(10,2) NOT NULL CHECK (price > 0), stock int NOT NULL DEFAULT 0 CHECK (stock >= 0))
--> CREATE TABLE

CREATE TABLE shop_orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), customer bigint NOT NULL REFERENCES shop_customers ON DELETE RESTRICT, state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'paid', 'sent')), placed date NOT NULL)
--> CREATE TABLE

CREATE TABLE shop_lines (order_id uuid REFERENCES shop_orders ON DELETE CASCADE, sku text REFERENCES shop_products, n int NOT NULL, PRIMARY KEY (order_id, sku))
--> CREATE TABLE

CREATE INDEX ON shop_orders (customer, placed DESC)
--> CREATE INDEX

INSERT INTO shop_customers (email, data) VALUES ('ann@x.org', '{"city": "Bonn", "vip": true}'), ('bob@x.org', '{"city": "Kiel"}'), ('cid@x.org', '{}') RETURNING id
--> id int8
--> 1
--> 2
--> 3
--> INSERT 0 3

INSERT INTO shop_products VALUES ('A1', 'Anvil', 99.90, 3), ('B2', 'Bucket', 4.50, 100), ('C3', 'Clock', 20, 0)
--> INSERT 0 3

INSERT INTO shop_orders (id, customer, placed) VALUES ('00000000-0000-0000-0000-000000000001', 1, '2024-01-10'), ('00000000-0000-0000-0000-000000000002', 1, '2024-02-11'), ('00000000-0000-0000-0000-000000000003', 2, '2024-02-12')
--> INSERT 0 3

INSERT INTO shop_lines VALUES ('00000000-0000-0000-0000-000000000001', 'A1', 1), ('00000000-0000-0000-0000-000000000001', 'B2', 10), ('00000000-0000-0000-0000-000000000002', 'B2', 2), ('00000000-0000-0000-0000-000000000003', 'A1', 2)
--> INSERT 0 4

UPDATE shop_products SET stock = stock - 5 WHERE sku = 'A1'
--> ERROR 23514: new row for relation "shop_products" violates check constraint "shop_products_stock_check"
-->   detail: Failing row contains (A1, Anvil, 99.90, -2).
-->   table: shop_products
-->   constraint: shop_products_stock_check

UPDATE shop_products p SET stock = p.stock - l.n FROM (SELECT sku, sum(n) AS n FROM shop_lines GROUP BY sku) l WHERE p.sku = l.sku RETURNING p.sku, p.stock
--> sku text | stock int4
--> A1 | 0
--> B2 | 88
--> UPDATE 2

UPDATE shop_orders SET state = 'lost'
--> ERROR 23514: new row for relation "shop_orders" violates check constraint "shop_orders_state_check"
-->   detail: Failing row contains (00000000-0000-0000-0000-000000000001, 1, lost, 2024-01-10).
-->   table: shop_orders
-->   constraint: shop_orders_state_check

UPDATE shop_orders SET state = 'paid' WHERE placed < '2024-02-01' RETURNING id, state
--> id uuid | state text
--> 00000000-0000-0000-0000-000000000001 | paid
--> UPDATE 1

SELECT c.email, count(DISTINCT o.id) AS orders, coalesce(sum(l.n * p.price), 0) AS total FROM shop_customers c LEFT JOIN shop_orders o ON o.customer = c.id LEFT JOIN shop_lines l ON l.order_id = o.id LEFT JOIN shop_products p ON p.sku = l.sku GROUP BY c.id, c.email ORDER BY total DESC, c.email
--> email text | orders int8 | total numeric
--> bob@x.org | 1 | 199.80
--> ann@x.org | 2 | 153.90
--> cid@x.org | 0 | 0
--> SELECT 3

SELECT to_char(placed, 'YYYY-MM') AS month, sum(n * price) AS revenue, sum(sum(n * price)) OVER (ORDER BY to_char(placed, 'YYYY-MM')) AS running FROM shop_orders JOIN shop_lines ON order_id = id JOIN shop_products USING (sku) GROUP BY 1 ORDER BY 1
--> month text | revenue numeric | running numeric
--> 2024-01 | 144.90 | 144.90
--> 2024-02 | 208.80 | 353.70
--> SELECT 2

SELECT email, data ->> 'city' AS city FROM shop_customers WHERE data @> '{"vip": true}'
--> email text | city text
--> ann@x.org | Bonn
--> SELECT 1

SELECT email FROM shop_customers WHERE (data ->> 'city') IS NULL
--> email text
--> cid@x.org
--> SELECT 1

UPDATE shop_customers SET data = jsonb_set(data, '{city}', '"Ulm"') WHERE email = 'cid@x.org' RETURNING data
--> data jsonb
--> {"city": "Ulm"}
--> UPDATE 1

SELECT title FROM shop_products WHERE NOT EXISTS (SELECT FROM shop_lines l WHERE l.sku = shop_products.sku)
--> title text
--> Clock
--> SELECT 1

WITH best AS (SELECT sku, sum(n) AS sold FROM shop_lines GROUP BY sku ORDER BY sold DESC LIMIT 1) SELECT title, sold FROM best JOIN shop_products USING (sku)
--> title text | sold int8
--> Bucket | 12
--> SELECT 1

SELECT sku, title, rank() OVER (ORDER BY price DESC) FROM shop_products ORDER BY sku
--> sku text | title text | rank int8
--> A1 | Anvil | 1
--> B2 | Bucket | 3
--> C3 | Clock | 2
--> SELECT 3

DELETE FROM shop_customers WHERE email = 'ann@x.org'
--> ERROR 23503: update or delete on table "shop_customers" violates foreign key constraint "shop_orders_customer_fkey" on table "shop_orders"
-->   detail: Key (id)=(1) is still referenced from table "shop_orders".
-->   table: shop_orders
-->   constraint: shop_orders_customer_fkey

DELETE FROM shop_orders WHERE customer = 1
--> DELETE 2

SELECT count(*) FROM shop_lines
--> count int8
--> 1
--> SELECT 1

DELETE FROM shop_customers WHERE email = 'ann@x.org' RETURNING id
--> id int8
--> 1
--> DELETE 1

INSERT INTO shop_customers (email) VALUES ('bob@x.org') ON CONFLICT (email) DO UPDATE SET data = shop_customers.data || '{"back": true}' RETURNING id, data
--> id int8 | data jsonb
--> 2 | {"back": true, "city": "Kiel"}
--> INSERT 0 1

SELECT json_agg(row_to_json(p) ORDER BY sku) FROM (SELECT sku, price FROM shop_products) p
--> json_agg json
--> [{"sku":"A1","price":99.90}, {"sku":"B2","price":4.50}, {"sku":"C3","price":20.00}]
--> SELECT 1

SELECT sku FROM shop_products ORDER BY price LIMIT 1 FOR UPDATE
--> sku text
--> B2
--> SELECT 1

SELECT count(*) FROM shop_customers WHERE created_at > now() - interval '1 hour'
--> count int8
--> 2
--> SELECT 1

DROP TABLE shop_lines, shop_orders, shop_products, shop_customers
--> DROP TABLE
