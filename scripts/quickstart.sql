create extension pgml cascade;

-- Real data: 442 patients, ten measurements each, and how far diabetes went in a year.
select * from pgml.load_dataset('diabetes');

-- A view says what a model sees; two words train it.
create view progression as select age, sex, bmi, bp, s1, s2, s3, s4, s5, s6, target from pgml.diabetes;
select * from pgml.train('progression', 'target');
select * from pgml.train('progression', 'target', 'xgboost');
select project, model, algorithm, metric, score from pgml.overview;

-- A prediction for each row, by the model that is live.
select target, pgml.predict('progression', p) as predicted from progression p limit 5;

-- A new patient, of whom only age, sex and bmi are known.
select pgml.score('progression', 0.038, 0.05, 0.06);
