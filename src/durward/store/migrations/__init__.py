"""Steps from one shape of the database to the next.

To add one: write NNNN_what_changes.sql here, NNNN being the new version; change ../schema.sql to match; raise
SCHEMA_VERSION in ../database.py; add the new schema.sql to tests/store/schemas as NNNN.sql. A step runs inside one
transaction and holds no BEGIN, COMMIT or PRAGMA of its own.
"""
