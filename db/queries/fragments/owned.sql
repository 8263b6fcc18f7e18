-- @owned(o, h): order o is one that the asker of h reaches: any of its tenant, or its own customer's alone.
($(2).owner IS NULL OR $(1).customer = $(2).owner)
