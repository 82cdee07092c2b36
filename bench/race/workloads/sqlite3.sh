#!/bin/sh
# sqlite3.sh - the statements of the row sqlite3: inserts, indexes, joins, sorts and updates, in a
# database in memory.
#
# Run once in the current directory, which is empty and thrown away afterwards. The rows are written
# as SQL text, so that every insert is parsed and compiled, as it is by an application without
# prepared statements.
#
#   SCALE  size in percent
set -eu

awk -v rows="$((100000 * SCALE / 100 + 10))" 'BEGIN {
  srand(20)
  print "CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT, city TEXT);"
  print "CREATE TABLE purchase(id INTEGER PRIMARY KEY, customer INTEGER, item TEXT, price REAL);"
  print "BEGIN;"
  for (i = 1; i <= rows; i++) {
    if (i % 10 == 0)
      printf "INSERT INTO customer VALUES(%d,%cname %d%c,%ccity %d%c);\n", i / 10, 39,
             rand() * 1000000, 39, 39, rand() * 500, 39
    else
      printf "INSERT INTO purchase VALUES(%d,%d,%citem %d of %d%c,%.2f);\n", i,
             1 + rand() * rows / 10, 39, rand() * 5000, i, 39, rand() * 100
  }
  print "COMMIT;"
  print "CREATE INDEX purchase_customer ON purchase(customer);"
  print "CREATE INDEX customer_city ON customer(city, name);"
  print "SELECT city, count(*), sum(price) FROM customer JOIN purchase ON purchase.customer = customer.id GROUP BY city ORDER BY 3 DESC;"
  print "SELECT a.name, b.item FROM customer a JOIN purchase b ON b.customer = a.id WHERE a.city LIKE \"city 1%\" ORDER BY b.price, b.item;"
  print "UPDATE purchase SET item = upper(item) || \" (\" || substr(item, 3) || \")\" WHERE id % 3 = 0;"
  print "SELECT count(DISTINCT item), length(group_concat(substr(item, 1, 3))) FROM purchase;"
  print "DELETE FROM purchase WHERE customer IN (SELECT id FROM customer WHERE city LIKE \"city 2%\");"
}' > work.sql
