-- @located(x, h): x lies at a location that the asker of h reaches: at any of its tenant, or at one of those named, a code a
-- line.  x is a location itself or a row of what lies at one.  No text of a request is an empty code, so '' is nobody's.
($(2).locations IS NULL OR (SELECT z.code FROM location z WHERE (z.tenant, z.location) = ($(1).tenant, $(1).location))
                           = ANY (string_to_array($(2).locations, E'\n')))
