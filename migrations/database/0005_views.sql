-- What a view shows the rows of, if it can be written through, and which of its columns (JSON; 0 for none): what
-- `pg_relation_is_updatable` tells. Of views that were there before nothing is noted until they are defined again.
ALTER TABLE "_quorate_view" ADD COLUMN base INTEGER;
ALTER TABLE "_quorate_view" ADD COLUMN columns TEXT;
